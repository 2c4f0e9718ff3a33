internal import EventLoop
internal import RPC
internal import Service

/// How all servers are doing, from two samples of each.
struct TopSnapshot: Sendable {
  /// What the methods are sorted by.
  enum Order: String, CaseIterable, Sendable {
    case calls, errors, p99, active, name
  }

  /// A server that answered, or why it did not.
  struct Server: Sendable {
    let address: Address
    let answer: Result<InspectResponse, RPCError>
  }

  /// A connection of a server.
  struct Connection: Sendable {
    let server: String
    let info: ConnectionInfo
    /// What happened on it in a second, since the sample before.
    let callsPerSecond: Double
    let bytesInPerSecond: Double
    let bytesOutPerSecond: Double
  }

  /// A call under way.
  struct Call: Sendable {
    let server: String
    let peer: String
    let info: CallInfo
  }

  /// In the order of the addresses.
  let servers: [Server]
  /// Sorted as wanted.
  let methods: [TopMethod]
  /// The busiest first.
  let connections: [Connection]
  /// The longest under way first, without the call that asks.
  let calls: [Call]

  /// The state in `later`, compared with the samples before.
  init(_ later: [TopSample], since earlier: [TopSample], by order: Order) {
    servers = later.map { Server(address: $0.address, answer: $0.answer) }
    var (methods, connections, calls): ([TopMethod], [Connection], [Call]) = ([], [], [])
    for sample in later {
      guard let inspection = sample.inspection else { continue }
      let before = earlier.first { $0.address == sample.address }
      let seconds = before.map { (sample.time - $0.time) / .seconds(1) } ?? 0
      methods += Self.methods(of: inspection, since: before?.inspection, seconds)
      connections += Self.connections(of: inspection, since: before?.inspection, seconds)
      calls += inspection.connections.flatMap { connection in
        connection.calls.filter { !$0.method.hasPrefix("gozon.rpc.Server/Inspect") }
          .map { Call(server: inspection.server, peer: connection.peer, info: $0) }
      }
    }
    self.methods = methods.sorted { Self.comesFirst($0, $1, order) }
    self.connections = connections.sorted {
      ($0.callsPerSecond, $0.bytesOutPerSecond, $0.info.ageMilliseconds)
        > ($1.callsPerSecond, $1.bytesOutPerSecond, $1.info.ageMilliseconds)
    }
    self.calls = calls.sorted { $0.info.ageMilliseconds > $1.info.ageMilliseconds }
  }

  private static func methods(
    of later: InspectResponse, since earlier: InspectResponse?, _ seconds: Double
  ) -> [TopMethod] {
    let before = Dictionary((earlier?.methods ?? []).map { ($0.name, $0) }) { first, _ in first }
    return later.methods.map {
      TopMethod(server: later.server, $0, since: before[$0.name], seconds: earlier == nil ? 0 : seconds)
    }
  }

  private static func connections(
    of later: InspectResponse, since earlier: InspectResponse?, _ seconds: Double
  ) -> [Connection] {
    let before = Dictionary((earlier?.connections ?? []).map { ($0.peer, $0) }) { first, _ in first }
    return later.connections.map { info in
      let last = before[info.peer]
      func rate(_ count: (ConnectionInfo) -> UInt64) -> Double {
        let (now, then) = (count(info), last.map(count) ?? 0)
        return earlier == nil || seconds <= 0 ? 0 : Double(now >= then ? now - then : now) / seconds
      }
      return Connection(
        server: later.server, info: info, callsPerSecond: rate(\.callsStarted), bytesInPerSecond: rate(\.bytesReceived),
        bytesOutPerSecond: rate(\.bytesSent))
    }
  }

  private static func comesFirst(_ left: TopMethod, _ right: TopMethod, _ order: Order) -> Bool {
    let (first, second): (Double, Double) =
      switch order {
      case .calls: (left.callsPerSecond, right.callsPerSecond)
      case .errors: (left.errorsPerSecond, right.errorsPerSecond)
      case .p99: (left.p99 ?? 0, right.p99 ?? 0)
      case .active: (Double(left.active), Double(right.active))
      case .name: (0, 0)
      }
    if first != second { return first > second }
    return (left.name, left.server) < (right.name, right.server)
  }
}
