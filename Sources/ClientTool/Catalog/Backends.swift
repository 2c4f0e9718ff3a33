internal import EventLoop
internal import RPC
internal import Service

/// The services that a command talks to: a connection to each.
struct Backends: Sendable {
  /// The clients in the order of the addresses.
  let clients: [(address: Address, client: RPCClient)]

  /// Runs `body` with a client for each target, and disconnects when it returns.
  static func with<Result: Sendable>(
    _ targets: BackendTargets, on loop: EventLoop, _ body: (Backends) async throws -> Result
  ) async rethrows -> Result {
    let clients = targets.addresses.map {
      ($0, RPCClient(loop: loop, host: $0.host, port: $0.port, options: targets.options))
    }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      for (_, client) in clients { group.addTask { await client.run() } }
      defer { group.cancelAll() }
      return try await body(Backends(clients: clients))
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

  /// The client of the server at `address`.
  func client(of address: Address) -> RPCClient? { clients.first { $0.address == address }?.client }

  private static func connect(_ address: Address, _ client: RPCClient) async throws(RPCError) {
    do throws(RPCError) {
      try await client.untilConnected()
    } catch {
      guard error.reason == "NOT_CONNECTED" else { throw error }
      throw RPCError(
        .unavailable, "cannot \(error.message); is the system up? run tools/up, or set --backends")
    }
  }
}
