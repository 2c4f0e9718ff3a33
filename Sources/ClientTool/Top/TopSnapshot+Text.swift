internal import RPC

/// How a snapshot looks to people.
extension TopSnapshot {
  /// The lines of all tables, with at most so many rows of connections and of calls.
  func lines(rowsMax: Int) -> [String] {
    var lines = serverTable.text.split(separator: "\n").map(String.init)
    func append(_ table: TextTable, hidden: Int, of what: String) {
      lines.append("")
      lines += table.text.split(separator: "\n").map(String.init)
      if hidden > 0 { lines.append("… and \(hidden) more \(what)") }
    }
    if !methods.isEmpty { append(methodTable, hidden: 0, of: "methods") }
    if !connections.isEmpty {
      append(connectionTable(rowsMax), hidden: connections.count - rowsMax, of: "connections")
    }
    if !calls.isEmpty { append(callTable(rowsMax), hidden: calls.count - rowsMax, of: "calls") }
    if let gaugeTable { append(gaugeTable, hidden: 0, of: "gauges") }
    return lines
  }

  private var serverTable: TextTable {
    var table = TextTable([
      ("SERVER", .left), ("ADDRESS", .left), ("STATE", .left), ("UP", .right), ("CONNECTIONS", .right),
      ("CALLS", .right), ("HANDLERS", .right), ("BLOCKED", .right),
    ])
    for server in servers {
      switch server.answer {
      case .failure(let error): table.append("", "\(server.address)", "UNREACHABLE: \(error.message)")
      case .success(let told):
        table.append(
          told.server, "\(server.address)", told.draining ? "DRAINING" : "RUNNING", Units.time(told.uptimeMilliseconds),
          "\(told.connectionCount)", "\(told.connections.reduce(0) { $0 + Int($1.callsActive) })",
          "\(told.connections.reduce(0) { $0 + Int($1.handlersRunning) })",
          "\(told.connections.reduce(0) { $0 + Int($1.blockedCalls) })")
      }
    }
    return table
  }

  private var methodTable: TextTable {
    var table = TextTable([
      ("METHOD", .left), ("SERVER", .left), ("CALLS/S", .right), ("ERRORS/S", .right), ("ACTIVE", .right),
      ("P50", .right), ("P99", .right), ("TOTAL", .right), ("ERRORS", .right),
    ])
    for method in methods {
      table.append(
        Self.short(method.name), method.server, fixedPoint(method.callsPerSecond, 1),
        fixedPoint(method.errorsPerSecond, 1), "\(method.active)", method.p50.map(Units.microseconds) ?? "-",
        method.p99.map(Units.microseconds) ?? "-", "\(method.total)", "\(method.errors)")
    }
    return table
  }

  /// A row for each gauge, and a column for each server; nil when no server tells any.
  private var gaugeTable: TextTable? {
    let told = servers.compactMap { server in (try? server.answer.get()).map { (server.address, $0) } }
      .filter { !$0.1.gauges.isEmpty }
    var names: [String] = []
    for gauge in told.flatMap(\.1.gauges) where !names.contains(gauge.name) { names.append(gauge.name) }
    if names.isEmpty { return nil }
    var table = TextTable(
      [("GAUGE", .left)]
        + told.map { address, inspection in
          let isOne = told.count { $0.1.server == inspection.server } == 1
          return (isOne ? inspection.server : "\(inspection.server) \(address)", .right)
        })
    for name in names {
      let values = told.map { $0.1.gauges.first { $0.name == name }.map { Self.shown($0.value, of: name) } ?? "-" }
      table.append([name.hasPrefix("gozon_") ? String(name.dropFirst(6)) : name] + values)
    }
    return table
  }

  /// A value in the unit that its name ends with.
  private static func shown(_ value: Double, of name: String) -> String {
    let base = name.prefix { $0 != "{" }
    if base.hasSuffix("_seconds") { return Units.microseconds(value * 1e6) }
    return base.hasSuffix("_bytes") ? Units.bytes(value) : Units.count(value)
  }

  private func connectionTable(_ rowsMax: Int) -> TextTable {
    var table = TextTable([
      ("CLIENT", .left), ("NAME", .left), ("SERVER", .left), ("AGE", .right), ("CALLS/S", .right), ("ACTIVE", .right),
      ("IN/S", .right), ("OUT/S", .right), ("QUEUED", .right), ("SEND", .right), ("RECEIVE", .right),
      ("BLOCKED", .right),
    ])
    for connection in connections.prefix(rowsMax) {
      let info = connection.info
      table.append(
        info.peer, info.name, connection.server, Units.time(info.ageMilliseconds),
        fixedPoint(connection.callsPerSecond, 1), "\(info.callsActive)", Units.bytes(connection.bytesInPerSecond),
        Units.bytes(connection.bytesOutPerSecond), Units.bytes(Double(info.bytesQueued)),
        Units.bytes(Double(info.sendCredit)), Units.bytes(Double(info.receiveCredit)), "\(info.blockedCalls)")
    }
    return table
  }

  private func callTable(_ rowsMax: Int) -> TextTable {
    var table = TextTable([
      ("CALL", .left), ("CLIENT", .left), ("STREAM", .right), ("AGE", .right), ("LEFT", .right), ("SEND", .right),
      ("RECEIVE", .right), ("UNREAD", .right), ("BLOCKED FOR", .right), ("REQUEST ID", .left),
    ])
    for call in calls.prefix(rowsMax) {
      let info = call.info
      table.append(
        Self.short(info.method), call.peer, "\(info.stream)", Units.time(info.ageMilliseconds),
        Units.time(info.millisecondsLeft), info.sendCredit.map { Units.bytes(Double($0)) } ?? "",
        info.receiveCredit.map { Units.bytes(Double($0)) } ?? "",
        info.unreadBytes.map { Units.bytes(Double($0)) } ?? "",
        info.sendCredit == nil ? "" : Units.time(info.blockedMilliseconds), info.requestId)
    }
    return table
  }

  /// `Orders.CreateOrder` of `gozon.orders.Orders/CreateOrder`.
  private static func short(_ name: String) -> String {
    let parts = name.split(separator: "/", maxSplits: 1)
    guard parts.count == 2, let service = parts[0].split(separator: ".").last else { return name }
    return "\(service).\(parts[1])"
  }
}
