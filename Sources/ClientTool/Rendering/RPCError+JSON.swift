internal import JetStream
internal import JSON
internal import RPC

extension RPCError {
  /// The error in place of a response: `{"error":{"code":"NOT_FOUND","message":…}}`.
  var json: JSONValue {
    var members: [JSONValue.Member] = [.init("code", .string(code.name)), .init("message", .string(message))]
    if !reason.isEmpty { members.append(.init("reason", .string(reason))) }
    if !violations.isEmpty {
      let violations = violations.map { violation -> JSONValue in
        ["pointer": .string(violation.pointer), "detail": .string(violation.detail)]
      }
      members.append(.init("violations", .array(violations)))
    }
    if let retryAfter { members.append(.init("retryAfterSeconds", .number(retryAfter / .seconds(1)))) }
    return ["error": .object(members)]
  }
}
