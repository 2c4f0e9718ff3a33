internal import EventLoop
internal import Wire

/// What a server tells of itself: connections, streams, windows, queue times, and what became of the calls.
extension RPCServer {
  /// Connections that are told of, and calls of each: an answer has to fit into a frame.
  private static let (connectionsToldMax, callsToldMax) = (1_000, 32)

  /// What became of the calls of every method that was called.
  package var methodStatistics: [(name: String, statistics: MethodStatistics)] {
    allMethods.filter { $0.statistics.started > 0 }.map { ($0.name, $0.statistics) }
  }

  /// Open connections.
  package var connectionCount: Int { connections.count }

  /// Everything at this moment.
  var inspection: InspectResponse {
    InspectResponse(
      server: name, uptimeMilliseconds: now.milliseconds(since: started), draining: isShuttingDown,
      connectionCount: UInt32(connections.count),
      connections: connections.values.sorted { $0.opened < $1.opened }.prefix(Self.connectionsToldMax).map(describe),
      methods: allMethods.filter { $0.statistics.started > 0 }.map(describe), gauges: gauges())
  }

  private func describe(_ connection: ServerConnection) -> ConnectionInfo {
    let link = connection.link
    return ConnectionInfo(
      peer: connection.tcp.peer, name: connection.peerName, ageMilliseconds: now.milliseconds(since: connection.opened),
      callsStarted: connection.traffic.calls, callsActive: UInt32(connection.machine.calls.count),
      handlersRunning: UInt32(connection.machine.runningHandlers), bytesReceived: connection.traffic.bytesReceived,
      bytesSent: connection.bytesSent, bytesQueued: UInt64(connection.tcp.queuedBytes),
      sendCredit: Int64(link?.flow.sendCredit ?? 0), receiveCredit: Int64(link?.flow.receiveCredit ?? 0),
      blockedCalls: UInt32(link?.blockedCalls ?? 0),
      calls: connection.machine.calls.values.sorted { $0.stream < $1.stream }.prefix(Self.callsToldMax)
        .map { describe($0, link) })
  }

  private func describe(_ context: CallContext, _ link: StreamLink?) -> CallInfo {
    let flow = link?.flow.calls[context.stream]
    return CallInfo(
      stream: context.stream, method: context.methodName, requestId: context.metadata["request-id"] ?? "",
      ageMilliseconds: now.milliseconds(since: context.began),
      millisecondsLeft: context.deadline.milliseconds(since: now),
      sendCredit: flow.map { Int64($0.sendCredit) }, receiveCredit: flow.map { Int64($0.receiveCredit) },
      unreadBytes: flow.map { UInt64($0.unread) },
      blockedMilliseconds: link.map { $0.blockedTime(of: context.stream).millisecondsRoundedUp } ?? 0)
  }

  private func describe(_ method: ServerMethod) -> MethodInfo {
    let statistics = method.statistics
    let ended = statistics.ended.enumerated().filter { $0.element > 0 }.compactMap { code, count in
      StatusCode(rawValue: UInt16(code)).map { StatusCount(status: $0, count: count) }
    }
    return MethodInfo(
      name: method.name, started: statistics.started, active: statistics.active, ended: ended,
      durationMicroseconds: statistics.durationMicroseconds, durations: statistics.durations)
  }
}
