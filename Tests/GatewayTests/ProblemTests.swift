@testable import Gateway
import HTTP
import RPC
import Testing

@Suite struct ProblemTests {
  private func text(_ problem: Problem) -> String {
    String(decoding: problem.response(requestID: "r\"1").body, as: UTF8.self)
  }

  @Test(
    arguments: zip(
      [
        StatusCode.cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists,
        .permissionDenied,
      ]
        + [.resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internal, .unavailable]
        + [.dataLoss, .unauthenticated],
      [499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401]))
  func `every RPC status has its HTTP status`(code: StatusCode, status: Int) {
    let problem = Problem(RPCError(code, "m"), hasPreconditions: false)
    #expect(problem.status.code == status && problem.code == code.name)
  }

  @Test func `a failed precondition is 412 when the client sent one`() {
    #expect(Problem(RPCError(.failedPrecondition, "m"), hasPreconditions: true).status.code == 412)
  }

  @Test func `a reused idempotency key is 422, one in use 409`() {
    let reused = RPCError(.invalidArgument, "m", reason: "IDEMPOTENCY_KEY_REUSED")
    #expect(Problem(reused, hasPreconditions: false).status.code == 422)
    let inUse = RPCError(.aborted, "m", reason: "IDEMPOTENCY_KEY_IN_USE")
    #expect(Problem(inUse, hasPreconditions: false).status.code == 409)
  }

  @Test func `an outcome that is not known is 503, and what to do is told`() {
    let unknown = RPCError(.unknown, "repeat it", reason: "UNKNOWN_OUTCOME", retryAfter: .seconds(1))
    let problem = Problem(unknown, hasPreconditions: false)
    #expect(problem.status.code == 503 && problem.code == "UNKNOWN" && text(problem).contains("repeat it"))
    #expect(problem.response(requestID: "r").fields["retry-after"] == "1")
  }

  @Test(arguments: ["TOO_MANY_WAITING", "TOO_MANY_STREAMS"])
  func `what is too much between the gateway and a service is nobody's quota`(reason: String) {
    let problem = Problem(RPCError(.resourceExhausted, "1000 wait", reason: reason), hasPreconditions: false)
    #expect(problem.status.code == 503 && problem.response(requestID: "r").fields["retry-after"] == "1")
  }

  @Test func `a message that is too large is whose it is`() {
    let request = RPCError(.resourceExhausted, "m", reason: "REQUEST_TOO_LARGE")
    #expect(Problem(request, hasPreconditions: false).status.code == 413)
    let response = RPCError(.resourceExhausted, "m", reason: "RESPONSE_TOO_LARGE")
    #expect(Problem(response, hasPreconditions: false).status.code == 500)
  }

  @Test func `only whose token a service refuses is asked for one`() {
    let fields = { (error: RPCError) in
      Problem(error, hasPreconditions: false).response(requestID: "r").fields["www-authenticate"]
    }
    #expect(fields(RPCError(.unauthenticated, "m")) != nil)
    // The gateway's own token.
    #expect(fields(RPCError(.unauthenticated, "m", reason: "CONNECTION_REFUSED")) == nil)
  }

  @Test func `golden problem`() {
    let error = RPCError(
      .resourceExhausted, "Too much.", reason: "QUEUE_FULL",
      violations: [Violation(pointer: "/a", detail: "is \"b\"")], retryAfter: .milliseconds(1_001))
    let problem = Problem(error, hasPreconditions: false)
    #expect(
      text(problem) == #"{"type":"urn:gozon:problem:QUEUE_FULL","title":"Too Many Requests","status":429,"#
        + #""detail":"Too much.","code":"RESOURCE_EXHAUSTED","requestId":"r\"1","#
        + #""errors":[{"pointer":"/a","detail":"is \"b\""}]}"#)
    let fields = problem.response(requestID: "r").fields
    #expect(fields["retry-after"] == "2" && fields["x-request-id"] == "r")
    #expect(fields["content-type"] == "application/problem+json")
  }

  @Test func `nothing from behind the service reaches the client`() {
    for error in [
      RPCError(.internal, "SELECT secret"), RPCError(.unknown, "secret"), RPCError(.dataLoss, "secret"),
      RPCError(.unavailable, "connect to secret:1", reason: "NOT_CONNECTED"),
      RPCError(.unavailable, "the certificate of secret:1 is not trusted", reason: "TLS_REFUSED"),
      RPCError(.deadlineExceeded, "no answer from secret:1"),
    ] {
      #expect(!text(Problem(error, hasPreconditions: false)).contains("secret"))
    }
  }

  @Test func `what the HTTP server refuses is a problem too`() {
    let response = Gateway.refuse(HTTPRefusal(.headerFieldsTooLarge, "Too long."))
    #expect(response.status.code == 431 && response.fields["x-request-id"]?.utf8.count == 36)
    #expect(String(decoding: response.body, as: UTF8.self).contains(#""code":"INVALID_ARGUMENT""#))
    #expect(Problem(HTTPRefusal(.requestTimeout, "")).code == "DEADLINE_EXCEEDED")
    #expect(Problem(HTTPRefusal(.notImplemented, "")).code == "UNIMPLEMENTED")
    #expect(Problem(HTTPRefusal(.serviceUnavailable, "")).code == "UNAVAILABLE")
  }
}
