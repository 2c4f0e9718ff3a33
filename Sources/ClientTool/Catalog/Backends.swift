internal import EventLoop
internal import RPC
internal import Service

/// The services that a command talks to: a connection to each.
struct Backends: Sendable {
  /// The clients in the order of the addresses.
  let clients: [(address: Address, client: RPCClient)]
  private let loop: EventLoop

  /// Runs `body` with a client for each target, and disconnects when it returns.
  ///
  /// The clients stay when the task is cancelled: a call that is given up is told to the server.
  static func with<Result: Sendable>(
    _ targets: BackendTargets, on loop: EventLoop, _ body: (Backends) async throws -> Result
  ) async rethrows -> Result {
    let clients = targets.addresses.map {
      ($0, RPCClient(loop: loop, host: $0.host, port: $0.port, options: targets.options))
    }
    let connections = clients.map { _, client in loop.startTask { await client.run() } }
    func disconnect() async {
      for connection in connections { connection.cancel() }
      for connection in connections { await connection.value }
    }
    do {
      let result = try await body(Backends(clients: clients, loop: loop))
      await disconnect()
      return result
    } catch {
      await disconnect()
      throw error
    }
  }

  /// Asks every server something, all at once; the answers in the order of the addresses.
  func ask<Answer: Sendable>(
    _ question: @escaping @Sendable (Address, RPCClient) async throws -> Answer
  ) async -> [Result<Answer, RPCError>] {
    await withTaskGroup(of: (Int, Result<Answer, RPCError>).self) { group in
      for (index, (address, client)) in clients.enumerated() {
        group.addTask {
          do {
            try await Self.connect(address, client)
            return (index, .success(try await question(address, client)))
          } catch {
            return (index, .failure(RPCError(thrown: error)))
          }
        }
      }
      var answers: [Int: Result<Answer, RPCError>] = [:]
      for await (index, answer) in group { answers[index] = answer }
      return clients.indices.compactMap { answers[$0] }
    }
  }

  /// What all servers offer; those that do not answer are left out and named.
  func catalog(timeout: Duration) async -> Catalog {
    let answers = await ask { address, client in
      let reflection = try await ServerClient(client).reflect(
        ReflectRequest(), options: CallOptions(timeout: timeout))
      return try ReflectedServer(address: address, reflection)
    }
    var servers: [ReflectedServer] = []
    var failures: [RPCError] = []
    for answer in answers {
      switch answer {
      case .success(let server): servers.append(server)
      case .failure(let error): failures.append(error)
      }
    }
    return Catalog(servers: servers, failures: failures)
  }

  /// The method called `name`.
  ///
  /// - Parameter waitsForReady: whether to wait within `timeout` for the servers that do not answer, unless another has it.
  /// - Throws: as ``Catalog/method(named:)``.
  func method(named name: String, timeout: Duration, waitsForReady: Bool) async throws -> Catalog.Method {
    let deadline = loop.now + timeout
    while true {
      let catalog = await catalog(timeout: timeout)
      do throws(RPCError) {
        return try catalog.method(named: name)
      } catch {
        guard waitsForReady, !catalog.failures.isEmpty, loop.now < deadline else { throw error }
      }
      try await loop.sleep(for: .milliseconds(50))
    }
  }

  /// What makes calls of `method`, at every server that offers it.
  func pool(of method: Catalog.Method) -> RPCPool {
    let members = clients.filter { method.addresses.contains($0.address) }.map {
      PoolMember(loop: loop, connection: $0.client, watchesHealth: false)
    }
    return RPCPool(loop: loop, members: members)
  }

  /// Waits for the attempt to connect to the server at `address`.
  ///
  /// - Throws: ``RPCError`` with what to do about it.
  static func connect(_ address: Address, _ client: RPCClient) async throws(RPCError) {
    do throws(RPCError) {
      try await client.untilConnected()
    } catch {
      guard error.reason == "NOT_CONNECTED" else { throw error }
      throw RPCError(
        .unavailable, "cannot \(error.message); is the system up? run tools/up, or set --backends")
    }
  }
}
