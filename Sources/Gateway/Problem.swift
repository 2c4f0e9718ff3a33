internal import HTTP
internal import RPC
internal import Service

/// An error as the API tells it: `application/problem+json` (RFC 9457).
struct Problem: Error {
  /// The status of the response.
  var status: HTTPStatus
  /// The name of the RPC status that says the same.
  var code: String
  /// A stable word for machines, part of `type`; empty when status and code say all.
  var reason = ""
  /// One sentence for a person.
  var detail: String
  /// Everything wrong with the request, by field.
  var violations: [Violation] = []
  /// Fields of the response besides the body's own.
  var fields: [(String, String)] = []
  /// A URI that says more than status and reason; nil for the usual one.
  var type: String?
  /// The title that belongs to ``type``.
  var title: String?
  /// The names of policies that forbid the request (draft-ietf-httpapi-ratelimit-headers, section 5).
  var violatedPolicies: [String] = []

  /// The response for the request with this id.
  func response(requestID: String) -> HTTPResponse {
    let all = [("Content-Type", "application/problem+json"), ("X-Request-Id", requestID)] + fields
    return HTTPResponse(status, fields: all, body: Array(json(requestID: requestID).utf8))
  }

  /// The problem on one line.
  func json(requestID: String) -> String {
    let type = type ?? (reason.isEmpty ? "about:blank" : "urn:gozon:problem:\(reason)")
    var json = "{\"type\":\(JSONText.quoted(type)),\"title\":\(JSONText.quoted(title ?? status.reason))"
    json += ",\"status\":\(status.code),\"detail\":\(JSONText.quoted(detail)),\"code\":\"\(code)\""
    json += ",\"requestId\":\(JSONText.quoted(requestID))"
    if !violations.isEmpty {
      let errors = violations.map {
        "{\"pointer\":\(JSONText.quoted($0.pointer)),\"detail\":\(JSONText.quoted($0.detail))}"
      }
      json += ",\"errors\":[\(errors.joined(separator: ","))]"
    }
    if !violatedPolicies.isEmpty {
      json += ",\"violated-policies\":[\(violatedPolicies.map(JSONText.quoted).joined(separator: ","))]"
    }
    return json + "}"
  }
}

extension Problem {
  /// The request is wrong in these fields.
  static func invalid(_ violations: [Violation]) -> Problem {
    let first = violations.first.map { $0.pointer.isEmpty ? $0.detail : "\($0.pointer): \($0.detail)" }
    return Problem(
      status: .badRequest, code: "INVALID_ARGUMENT", detail: first ?? "The request is wrong.", violations: violations)
  }

  /// The request is wrong as a whole, or in a header.
  static func invalid(_ detail: String) -> Problem {
    Problem(status: .badRequest, code: "INVALID_ARGUMENT", detail: detail)
  }

  static func notFound(_ detail: String) -> Problem { Problem(status: .notFound, code: "NOT_FOUND", detail: detail) }

  static func methodNotAllowed(_ method: String, allowed: [String]) -> Problem {
    let list = allowed.joined(separator: ", ")
    return Problem(
      status: .methodNotAllowed, code: "UNIMPLEMENTED", detail: "\(method) is not offered here; \(list) are.",
      fields: [("Allow", list)])
  }

  /// A request that the HTTP server did not take.
  init(_ refusal: HTTPRefusal) {
    status = refusal.status
    detail = refusal.detail
    fields = refusal.fields
    code =
      switch refusal.status.code {
      case 408: "DEADLINE_EXCEEDED"
      case 501, 505: "UNIMPLEMENTED"
      case 503: "UNAVAILABLE"
      case 500...: "INTERNAL"
      default: "INVALID_ARGUMENT"
      }
  }
}
