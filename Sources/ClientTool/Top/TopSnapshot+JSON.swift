internal import JetStream
internal import JSON
internal import RPC

/// A snapshot for machines; times in microseconds where they are measured, in milliseconds where the server tells them.
extension TopSnapshot {
  var json: JSONValue {
    [
      "servers": .array(servers.map(Self.json)), "methods": .array(methods.map(Self.json)),
      "connections": .array(connections.map(Self.json)), "calls": .array(calls.map(Self.json)),
    ]
  }

  private static func json(_ server: Server) -> JSONValue {
    switch server.answer {
    case .failure(let error):
      return ["address": .string("\(server.address)"), "state": "UNREACHABLE", "reason": .string(error.message)]
    case .success(let told):
      return [
        "address": .string("\(server.address)"), "state": told.draining ? "DRAINING" : "RUNNING",
        "server": .string(told.server), "uptimeMilliseconds": integer(told.uptimeMilliseconds),
        "connections": integer(UInt64(told.connectionCount)),
        "gauges": .object(told.gauges.map { .init($0.name, .number($0.value)) }),
      ]
    }
  }

  private static func json(_ method: TopMethod) -> JSONValue {
    [
      "method": .string(method.name), "server": .string(method.server), "active": integer(method.active),
      "callsPerSecond": .number(method.callsPerSecond), "errorsPerSecond": .number(method.errorsPerSecond),
      "p50Microseconds": method.p50.map { .number($0) } ?? .null,
      "p99Microseconds": method.p99.map { .number($0) } ?? .null, "ended": integer(method.total),
      "errors": integer(method.errors),
    ]
  }

  private static func json(_ connection: Connection) -> JSONValue {
    let info = connection.info
    return [
      "peer": .string(info.peer), "name": .string(info.name), "server": .string(connection.server),
      "ageMilliseconds": integer(info.ageMilliseconds), "callsStarted": integer(info.callsStarted),
      "callsPerSecond": .number(connection.callsPerSecond), "callsActive": integer(UInt64(info.callsActive)),
      "handlersRunning": integer(UInt64(info.handlersRunning)),
      "bytesInPerSecond": .number(connection.bytesInPerSecond),
      "bytesOutPerSecond": .number(connection.bytesOutPerSecond), "bytesQueued": integer(info.bytesQueued),
      "sendCredit": .integer(info.sendCredit), "receiveCredit": .integer(info.receiveCredit),
      "blockedCalls": integer(UInt64(info.blockedCalls)),
    ]
  }

  private static func json(_ call: Call) -> JSONValue {
    let info = call.info
    return [
      "method": .string(info.method), "server": .string(call.server), "peer": .string(call.peer),
      "stream": integer(UInt64(info.stream)), "requestId": .string(info.requestId),
      "ageMilliseconds": integer(info.ageMilliseconds), "millisecondsLeft": integer(info.millisecondsLeft),
      "sendCredit": info.sendCredit.map { .integer($0) } ?? .null,
      "receiveCredit": info.receiveCredit.map { .integer($0) } ?? .null,
      "unreadBytes": info.unreadBytes.map(integer) ?? .null,
      "blockedMilliseconds": integer(info.blockedMilliseconds),
    ]
  }

  private static func integer(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}
