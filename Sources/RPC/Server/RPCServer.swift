package import EventLoop
package import TLS
internal import Wire

/// Answers calls on a port.
// Confined to its event loop; every entry checks it.
package final class RPCServer: @unchecked Sendable {
  /// What a server accepts.
  package struct Limits: Sendable {
    /// The longest payload of a request or a message, in bytes.
    package var payloadBytesMax = 4 << 20
    /// Calls that run at once on one connection.
    package var streamsMax = 8_192
    /// Connections at once; more are told so and closed.
    package var connectionsMax = 10_000
    /// How long a new connection may stay silent: it takes up one of ``connectionsMax``.
    package var helloTimeout: Duration = .seconds(10)
    /// The longest deadline of a call; a longer one is cut to it.
    package var timeoutMax: Duration = .seconds(60)
    /// The longest deadline of a call with a stream.
    package var streamTimeoutMax: Duration = .seconds(3_600)
    /// How long a shutdown waits for calls under way; their streams are ended half of the time in.
    package var drainTimeout: Duration = .seconds(10)
    /// Bytes of messages that a client may send ahead of the reader of a call.
    package var callWindow = 256 << 10
    /// Bytes of messages that a client may send ahead of the readers of all calls of a connection.
    package var connectionWindow = 4 << 20
    /// The shortest time between two pings of a client.
    package var pingIntervalMin: Duration = .seconds(1)
    /// When clients are looked after.
    package var keepalive = Keepalive.Options()
    /// Bytes that wait for a client that does not read what it asked for, before it is let go.
    package var backlogBytesMax = 64 << 20
    /// The usual limits.
    package init() { keepalive.idleMax = .seconds(1_800) }
  }

  /// How often deadlines are looked at while calls are open.
  private static let deadlineInterval: Duration = .milliseconds(10)

  /// What this server accepts.
  package let limits: Limits
  /// The port that is listened on.
  package var port: Int { listener.port }
  let hello: Hello
  /// ``Limits/timeoutMax`` and ``Limits/streamTimeoutMax`` as they travel.
  private let timeoutMillisecondsMax: (call: UInt32, stream: UInt32)
  private let loop: EventLoop
  let name: String
  private let token: ServiceToken?
  private let interceptors: [any ServerInterceptor]
  private let tls: TLSContextSource?
  /// By service number, then by method number.
  private var methods: [[ServerMethod?]]
  /// Every method, in the order of the numbers.
  private(set) var allMethods: [ServerMethod]
  private let onUnexpectedError: (any Error, _ method: String, _ metadata: Metadata) -> Void
  private var listener: TCPListener!
  private(set) var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var deadlineTimer: LoopTimer?
  private var livenessTimer: LoopTimer?
  let started: LoopInstant
  private(set) var isShuttingDown = false
  /// What an inspection tells of the work behind the calls.
  package var gauges: () -> [Gauge] = { [] }
  private var stopped: UnsafeContinuation<Void, Never>?
  private var isStopped = false
  private var drainTimer: LoopTimer?

  /// Listens at once on `host` and `port` (0 takes a free one); ``run()`` waits for the end.
  ///
  /// - Parameters:
  ///   - name: the program, as reflection tells it.
  ///   - tls: what encrypts connections, with ``RPCProtocol/name`` as its protocol; nil for plaintext.
  ///   - token: what clients have to present; nil lets everybody in.
  ///   - interceptors: are told of every call, in this order.
  ///   - health: the dependencies as they are now; asked at each health check, and often while somebody watches.
  ///   - onUnexpectedError: is told what a handler threw that is no ``RPCError``.
  package init(
    loop: EventLoop, name: String, host: String, port: Int, services: [ServiceDefinition], limits: Limits = Limits(),
    tls: TLSContextSource? = nil, token: ServiceToken? = nil, interceptors: [any ServerInterceptor] = [],
    health: @escaping @Sendable () -> ServerHealth = { ServerHealth([]) },
    onUnexpectedError: @escaping (any Error, _ method: String, _ metadata: Metadata) -> Void = { _, _, _ in }
  ) throws(IOError) {
    loop.preconditionCurrent()
    self.loop = loop
    self.name = name
    self.tls = tls
    self.limits = limits
    self.token = token
    self.interceptors = interceptors
    self.onUnexpectedError = onUnexpectedError
    started = loop.now
    timeoutMillisecondsMax = (
      UInt32(clamping: limits.timeoutMax.millisecondsRoundedUp),
      UInt32(clamping: limits.streamTimeoutMax.millisecondsRoundedUp)
    )
    hello = Hello(
      payloadBytesMax: UInt32(limits.payloadBytesMax), streamsMax: UInt32(limits.streamsMax),
      pingIntervalMillisecondsMin: UInt32(clamping: limits.pingIntervalMin.millisecondsRoundedUp),
      callWindow: UInt32(limits.callWindow), connectionWindow: UInt32(limits.connectionWindow),
      metadata: ["name": name])
    (methods, allMethods) = ([], [])
    listener = try TCPListener(loop: loop, host: host, port: port) { self.accept($0) }
    let itself = ServerServiceImplementation(
      server: name, services: services, health: health, isDraining: { [unowned self] in isShuttingDown },
      inspect: { [unowned self] in inspection })
    methods = Self.table(of: services + [itself.definition])
    allMethods = methods.joined().compactMap(\.self)
  }

  /// Serves until ``beginGracefulShutdown()`` has ended, or the task is cancelled, which ends it at once.
  package func run() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if isStopped { continuation.resume() } else { stopped = continuation }
      }
    } onCancel: {
      loop.execute { self.stop() }
    }
  }

  /// Takes no new connections and calls; calls under way are answered, within the limit.
  package func beginGracefulShutdown() {
    loop.preconditionCurrent()
    if isShuttingDown { return }
    isShuttingDown = true
    listener.close()
    for connection in connections.values { connection.drain(within: limits.drainTimeout) }
    drainTimer = loop.schedule(after: limits.drainTimeout / 2) {
      for connection in self.connections.values { connection.endStreams() }
      self.drainTimer = self.loop.schedule(after: self.limits.drainTimeout / 2) { self.stop() }
    }
    if connections.isEmpty { stop() }
  }

  /// The loop's clock.
  var now: LoopInstant { loop.now }

  /// The method of this number; nil when there is none.
  func method(_ id: UInt16) -> ServerMethod? {
    let service = methods[Int(id >> 8)]
    return service.isEmpty ? nil : service[Int(id & 0xFF)]
  }

  /// The longest time for a call.
  func timeoutMillisecondsMax(of method: ServerMethod) -> UInt32 {
    method.isStreaming ? timeoutMillisecondsMax.stream : timeoutMillisecondsMax.call
  }

  /// Why a client that presents `token` is not let in; nil when it is.
  func credentialProblem(_ token: String?) -> String? {
    guard let wanted = self.token, !wanted.matches(token ?? "") else { return nil }
    return "this server lets nobody in without its service token: set GOZON_SERVICE_TOKEN to what the server has"
  }

  /// Why the call must not be answered; nil when it may.
  func refusal(of context: CallContext) -> RPCError? {
    do throws(RPCError) {
      for interceptor in interceptors { try interceptor.callBegan(context) }
      return nil
    } catch {
      return error
    }
  }

  func callEnded(_ context: CallContext, _ status: StatusCode) {
    for interceptor in interceptors { interceptor.callEnded(context, status) }
  }

  func report(_ error: any Error, _ context: CallContext) {
    onUnexpectedError(error, context.methodName, context.metadata)
  }

  /// A client lets too much wait to be sent: it goes, when this turn is over.
  func slowReader(_ connection: ServerConnection) {
    loop.atEndOfTurn {
      if connection.machine.phase == .closed { return }
      connection.close(
        .slowReader, "more than \(self.limits.backlogBytesMax) bytes wait for this client, which does not read them")
    }
  }

  func connectionEnded(_ connection: ServerConnection) {
    connections[ObjectIdentifier(connection)] = nil
    if isShuttingDown, connections.isEmpty { stop() }
  }

  /// A draining connection has answered everything: it closes when this turn's output has gone out.
  func connectionDrained(_ connection: ServerConnection) {
    loop.atEndOfTurn { if connection.isDrained { connection.closeDrained() } }
  }

  /// Looks at deadlines from now on, as long as calls are open.
  func watchDeadlines() {
    if deadlineTimer != nil { return }
    deadlineTimer = loop.schedule(after: Self.deadlineInterval) {
      self.deadlineTimer = nil
      for connection in self.connections.values { connection.expireCalls(now: self.loop.now) }
      if self.connections.values.contains(where: \.hasOpenCalls) { self.watchDeadlines() }
    }
  }

  private func accept(_ tcp: TCPConnection) {
    if isShuttingDown { return tcp.abort() }
    let connection = ServerConnection(tcp: tcp, server: self)
    if let tls { secure(tcp, tls) }
    guard connections.count < limits.connectionsMax else {
      return connection.close(.tooManyConnections, "the server has \(limits.connectionsMax) connections, its most")
    }
    connections[ObjectIdentifier(connection)] = connection
    tcp.delegate = connection
    tcp.start()
    watchLiveness()
  }

  /// Looks after the clients, as long as there are any.
  private func watchLiveness() {
    if livenessTimer != nil { return }
    let interval = min(
      limits.keepalive.interval / 4, limits.keepalive.idleMax.map { $0 / 4 } ?? .seconds(1), .seconds(1))
    livenessTimer = loop.schedule(after: max(interval, .milliseconds(1))) {
      self.livenessTimer = nil
      for connection in self.connections.values { connection.checkLiveness(now: self.loop.now) }
      if !self.connections.isEmpty { self.watchLiveness() }
    }
  }

  private func secure(_ tcp: TCPConnection, _ tls: TLSContextSource) {
    do throws(TLSError) { tcp.secure(by: try tls.current().makeEngine()) } catch { tcp.abort() }
  }

  private func stop() {
    if isStopped { return }
    isStopped = true
    isShuttingDown = true
    listener.close()
    drainTimer?.cancel()
    livenessTimer?.cancel()
    deadlineTimer?.cancel()
    for connection in connections.values { connection.abort() }
    stopped?.resume()
    stopped = nil
  }

  private static func table(of services: [ServiceDefinition]) -> [[ServerMethod?]] {
    var methods = [[ServerMethod?]](repeating: [], count: 256)
    for service in services {
      precondition(methods[Int(service.number)].isEmpty, "two services have the number \(service.number)")
      methods[Int(service.number)] = Array(repeating: nil, count: 256)
      for method in service.methods {
        methods[Int(service.number)][Int(method.number)] = ServerMethod(
          id: UInt16(service.number) << 8 | UInt16(method.number), name: "\(service.name)/\(method.name)", method)
      }
    }
    return methods
  }
}
