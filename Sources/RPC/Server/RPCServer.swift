package import EventLoop
internal import Wire

/// Answers calls on a port.
// Confined to its event loop; every entry checks it.
package final class RPCServer: @unchecked Sendable {
  /// What a server accepts.
  package struct Limits: Sendable {
    /// The longest payload of a request, in bytes.
    package var payloadBytesMax = 4 << 20
    /// Calls that run at once on one connection.
    package var streamsMax = 8_192
    /// Connections at once; more are closed as they come.
    package var connectionsMax = 10_000
    /// How long a new connection may stay silent: it takes up one of ``connectionsMax``.
    package var helloTimeout: Duration = .seconds(10)
    /// The longest deadline of a call; a longer one is cut to it.
    package var timeoutMax: Duration = .seconds(60)
    /// How long a shutdown waits for calls under way.
    package var drainTimeout: Duration = .seconds(10)
    /// The usual limits.
    package init() {}
  }

  /// A closure in a struct: an optional of the bare closure would wrap it once more.
  struct Handler { let start: MethodDefinition.Start }

  /// How often deadlines are looked at while calls are open.
  private static let deadlineInterval: Duration = .milliseconds(10)

  /// What this server accepts.
  package let limits: Limits
  /// The port that is listened on.
  package var port: Int { listener.port }
  let hello: Hello
  /// ``Limits/timeoutMax`` as it travels.
  let timeoutMillisecondsMax: UInt32
  private let loop: EventLoop
  /// By service number, then by method number.
  private let methods: [[Handler?]]
  private let onUnexpectedError: (any Error, _ method: String, _ metadata: Metadata) -> Void
  private let methodNames: [UInt16: String]
  private var listener: TCPListener!
  private var connections: [ObjectIdentifier: ServerConnection] = [:]
  private var deadlineTimer: LoopTimer?
  private var isShuttingDown = false
  private var stopped: UnsafeContinuation<Void, Never>?
  private var isStopped = false
  private var drainTimer: LoopTimer?

  /// Listens at once on `host` and `port` (0 takes a free one); ``run()`` waits for the end.
  ///
  /// - Parameters:
  ///   - name: the program, as reflection tells it.
  ///   - health: the dependencies as they are now; asked at each health check.
  ///   - onUnexpectedError: is told what a handler threw that is no ``RPCError``.
  package init(
    loop: EventLoop, name: String, host: String, port: Int, services: [ServiceDefinition], limits: Limits = Limits(),
    health: @escaping @Sendable () -> [DependencyHealth] = { [] },
    onUnexpectedError: @escaping (any Error, _ method: String, _ metadata: Metadata) -> Void = { _, _, _ in }
  ) throws(IOError) {
    loop.preconditionCurrent()
    self.loop = loop
    self.limits = limits
    self.onUnexpectedError = onUnexpectedError
    timeoutMillisecondsMax = UInt32(clamping: limits.timeoutMax.millisecondsRoundedUp)
    hello = Hello(
      payloadBytesMax: UInt32(limits.payloadBytesMax), streamsMax: UInt32(limits.streamsMax),
      pingIntervalMillisecondsMin: 1_000)
    let itself = ServerServiceImplementation(server: name, services: services, health: health)
    (methods, methodNames) = Self.table(of: services + [itself.definition])
    listener = try TCPListener(loop: loop, host: host, port: port) { self.accept($0) }
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
    for connection in connections.values { connection.drain() }
    drainTimer = loop.schedule(after: limits.drainTimeout) { self.stop() }
    if connections.isEmpty { stop() }
  }

  /// What starts the method of this number; nil when there is none.
  func handler(_ id: UInt16) -> Handler? {
    let service = methods[Int(id >> 8)]
    return service.isEmpty ? nil : service[Int(id & 0xFF)]
  }

  func report(_ error: any Error, _ context: CallContext) {
    onUnexpectedError(error, methodNames[context.method] ?? "", context.metadata)
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
    guard !isShuttingDown, connections.count < limits.connectionsMax else { return tcp.abort() }
    let connection = ServerConnection(tcp: tcp, server: self)
    connections[ObjectIdentifier(connection)] = connection
    tcp.delegate = connection
    tcp.start()
  }

  private func stop() {
    if isStopped { return }
    isStopped = true
    isShuttingDown = true
    listener.close()
    drainTimer?.cancel()
    for connection in connections.values { connection.abort() }
    stopped?.resume()
    stopped = nil
  }

  private static func table(of services: [ServiceDefinition]) -> ([[Handler?]], [UInt16: String]) {
    var methods = [[Handler?]](repeating: [], count: 256)
    var names: [UInt16: String] = [:]
    for service in services {
      precondition(methods[Int(service.number)].isEmpty, "two services have the number \(service.number)")
      methods[Int(service.number)] = Array(repeating: nil, count: 256)
      for method in service.methods {
        methods[Int(service.number)][Int(method.number)] = Handler(start: method.start)
        names[UInt16(service.number) << 8 | UInt16(method.number)] = "\(service.name)/\(method.name)"
      }
    }
    return (methods, names)
  }
}
