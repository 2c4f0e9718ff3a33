package import EventLoop
package import TLS
package import Wire

/// Calls one server; keeps a connection to it, and makes a new one when it is lost.
// Confined to its event loop; every entry checks it.
package final class RPCClient: CallChannel, @unchecked Sendable {
  /// How a client connects.
  package struct Options: Sendable {
    /// The time for one attempt to connect.
    package var connectTimeout: Duration = .seconds(3)
    /// The first wait after a failed attempt; it doubles up to ``backoffMax``, with jitter.
    package var backoffMin: Duration = .milliseconds(20)
    /// The longest wait between attempts.
    package var backoffMax: Duration = .seconds(2)
    /// The longest payload of a response, in bytes.
    package var payloadBytesMax = 4 << 20
    /// Calls that wait for a connection at once; more fail with RESOURCE_EXHAUSTED.
    package var waitingMax = 8_192
    /// Bytes of messages that the server may send ahead of the reader of a call.
    package var callWindow = 256 << 10
    /// Bytes of messages that the server may send ahead of the readers of all calls.
    package var connectionWindow = 4 << 20
    /// When the server is looked after.
    package var keepalive = Keepalive.Options()
    /// What the client calls itself to the server.
    package var name = ""
    /// What the client proves itself by, where the server asks for it.
    package var token: ServiceToken?
    /// What encrypts connections, with ``RPCProtocol/name`` as its protocol; nil for plaintext.
    package var tls: TLSContextSource?
    /// The usual options.
    package init() {}
  }

  /// The server, as `host:port`.
  package let address: String
  private let host: String
  private let port: Int
  private let loop: EventLoop
  private let options: Options
  private var connection: ClientConnection?
  /// A connection whose server has not greeted yet.
  private var opening: ClientConnection?
  private var waiting: [PendingCall] = []
  private var waitingTimer: LoopTimer?
  private var isStopping = false
  /// Why there is no connection.
  private var lastError: RPCError
  private var connectionEnded: UnsafeContinuation<Void, Never>?
  private var attemptWaiters: [UnsafeContinuation<Void, Never>] = []
  /// Is told whenever ``isReady`` changes.
  package var onReadinessChange: ((Bool) -> Void)?

  /// A client of the server at `host` and `port`; it connects in ``run()``.
  package init(loop: EventLoop, host: String, port: Int, options: Options = Options()) {
    self.loop = loop
    self.host = host
    self.port = port
    self.options = options
    address = "\(host):\(port)"
    lastError = RPCError(.unavailable, "not connected to \(host):\(port) yet", reason: "NOT_CONNECTED")
  }

  /// Whether calls can begin at once.
  package var isReady: Bool { connection != nil }

  /// Why calls cannot begin; nil when they can.
  package var unreadyReason: String? { connection == nil ? lastError.message : nil }

  /// Calls under way on the present connection.
  package var callCount: Int { connection?.callCount ?? 0 }

  /// Waits for the attempt to connect that is under way, or comes next.
  ///
  /// - Throws: why there is no connection; ``run()`` tries again.
  package func untilConnected() async throws(RPCError) {
    loop.preconditionCurrent()
    if connection == nil, !isStopping { await withUnsafeContinuation { attemptWaiters.append($0) } }
    if connection == nil { throw lastError }
  }

  /// Keeps connected until the task is cancelled; calls under way fail then.
  package func run() async {
    await withTaskCancellationHandler {
      var backoff = options.backoffMin
      while !isStopping, !Task.isCancelled {
        let isConnected = await connect()
        attemptEnded()
        if isConnected {
          let opened = loop.now
          await untilConnectionEnds()
          // Looks for the server again at once, unless it hung up on us just as quickly.
          if loop.now - opened >= options.backoffMax {
            backoff = options.backoffMin
            continue
          }
        }
        if isStopping { break }
        try? await loop.sleep(for: backoff * Double.random(in: 0.8...1.2))
        backoff = min(backoff * 2, options.backoffMax)
      }
    } onCancel: {
      loop.execute { self.stop() }
    }
  }

  package func unary<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response {
    let call = TypedCall<Request, Response>(request, method: method.id, options: options)
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        call.continuation = continuation
        begin(call)
      }
    } onCancel: {
      cancelled(call)
    }
  }

  package func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult {
    let call = RawCall(payload, method: id, options: options)
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        call.continuation = continuation
        begin(call)
      }
    } onCancel: {
      cancelled(call)
    }
  }

  package func stream<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response> {
    let call = PendingStream(method, request, options, loop: loop)
    begin(call)
    return StreamingCall(call) { [loop] in loop.execute { self.abandoned(call) } }
  }

  // MARK: Calls

  func begin(_ call: PendingCall) {
    loop.preconditionCurrent()
    call.deadline = loop.now + call.options.timeout
    if Task.isCancelled {
      call.isCompleted = true
      call.fail(RPCError(.cancelled, "the caller gave the call up"))
    } else if let connection {
      connection.begin(call, now: loop.now)
    } else if call.options.waitsForReady, !isStopping {
      wait(call)
    } else {
      call.isCompleted = true
      call.fail(lastError)
    }
  }

  func cancelled(_ call: PendingCall) {
    loop.execute { self.giveUp(call, RPCError(.cancelled, "the caller gave the call up")) }
  }

  /// Nobody holds a call with a stream any more.
  private func abandoned(_ call: PendingCall) {
    giveUp(call, RPCError(.cancelled, "the caller gave the call up"))
    call.link?.callAbandoned(call.stream)
  }

  private func wait(_ call: PendingCall) {
    waiting.removeAll(where: \.isCompleted)
    guard waiting.count < options.waitingMax else {
      call.isCompleted = true
      return call.fail(
        RPCError(.resourceExhausted, "\(waiting.count) calls wait for a connection to \(address) already"))
    }
    waiting.append(call)
    watchWaiting()
  }

  private func giveUp(_ call: PendingCall, _ error: RPCError) {
    if let connection = call.connection {
      connection.giveUp(call, error)
    } else if !call.isCompleted {
      call.isCompleted = true
      call.fail(error)
    }
  }

  /// Ends the waiting of calls whose time is up.
  private func watchWaiting() {
    if waitingTimer != nil { return }
    waitingTimer = loop.schedule(after: ClientConnection.deadlineInterval) {
      self.waitingTimer = nil
      for call in self.waiting where call.deadline <= self.loop.now { self.giveUp(call, self.lastError) }
      self.waiting.removeAll(where: \.isCompleted)
      if !self.waiting.isEmpty { self.watchWaiting() }
    }
  }

  // MARK: The connection

  private func connect() async -> Bool {
    do {
      let engine = try options.tls?.current().makeEngine(serverName: host)
      let tcp = try await TCPConnection.connect(
        loop: loop, host: host, port: port, timeout: options.connectTimeout)
      if let engine { tcp.secure(by: engine) }
      return await greet(tcp)
    } catch {
      lastError = RPCError(.unavailable, "\(error)", reason: "NOT_CONNECTED")
      return false
    }
  }

  /// Exchanges greetings; true when calls may begin.
  private func greet(_ tcp: TCPConnection) async -> Bool {
    var metadata = Metadata()
    if !options.name.isEmpty { metadata["name"] = options.name }
    metadata["token"] = options.token?.text
    let hello = Hello(
      payloadBytesMax: UInt32(options.payloadBytesMax), streamsMax: 0, callWindow: UInt32(options.callWindow),
      connectionWindow: UInt32(options.connectionWindow), metadata: metadata)
    return await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
      if isStopping {
        tcp.abort()
        return continuation.resume(returning: false)
      }
      var waiter: UnsafeContinuation<Bool, Never>? = continuation
      let timer = loop.schedule(after: options.connectTimeout) {
        self.opening?.end(RPCError(.unavailable, "\(self.address) accepted the connection but did not greet in time"))
      }
      opening = ClientConnection(tcp: tcp, address: address, hello: hello, keepalive: options.keepalive) {
        change in
        timer.cancel()
        self.connectionChanged(change)
        if case .opened = change { waiter?.resume(returning: true) } else { waiter?.resume(returning: false) }
        waiter = nil
      }
    }
  }

  private func connectionChanged(_ change: ClientConnection.Change) {
    switch change {
    case .opened:
      connection = opening
      opening = nil
      onReadinessChange?(true)
      let ready = waiting
      waiting = []
      for call in ready where !call.isCompleted {
        if let connection { connection.begin(call, now: loop.now) } else { wait(call) }
      }
    case .retired(let error, let unseen):
      lastError = error
      let wasReady = connection != nil
      (connection, opening) = (nil, nil)
      connectionEnded?.resume()
      connectionEnded = nil
      if wasReady { onReadinessChange?(false) }
      for call in unseen { wait(call) }
    }
  }

  private func attemptEnded() {
    for waiter in attemptWaiters { waiter.resume() }
    attemptWaiters = []
  }

  private func untilConnectionEnds() async {
    await withUnsafeContinuation { continuation in
      if connection == nil { continuation.resume() } else { connectionEnded = continuation }
    }
  }

  private func stop() {
    isStopping = true
    lastError = RPCError(.unavailable, "the client of \(address) has ended", reason: "CLIENT_ENDED")
    connection?.end(lastError)
    opening?.end(lastError)
    for call in waiting where !call.isCompleted { giveUp(call, lastError) }
    waiting = []
    attemptEnded()
  }
}
