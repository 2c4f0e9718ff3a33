internal import JSON

/// The answers that operations share: every error, in the one shape that errors have (RFC 9457).
enum OpenAPIResponses {
  /// An error that an operation may answer with.
  struct Failure {
    let status: Int
    /// What it is called under `components`.
    let name: String
    let description: String
    /// Fields of its head besides those of every answer, with what they say.
    var headers: [(name: String, description: String)] = []
  }

  /// Every error.
  static let all = [
    Failure(status: 400, name: "BadRequest", description: "The request is wrong; `errors` names each field that is."),
    Failure(
      status: 401, name: "Unauthorized",
      description: "The caller is not known: there is no token, or it does not hold.",
      headers: [("WWW-Authenticate", "What a token has to be (RFC 6750).")]),
    Failure(status: 403, name: "Forbidden", description: "The caller is known and may not do this."),
    Failure(status: 404, name: "NotFound", description: "What is asked for does not exist."),
    Failure(
      status: 406, name: "NotAcceptable", description: "`Accept` names nothing that this operation answers with."),
    Failure(status: 408, name: "RequestTimeout", description: "The body did not come in time."),
    Failure(
      status: 409, name: "Conflict",
      description: "What is to be created exists already and differs, or another request came between."),
    Failure(status: 412, name: "PreconditionFailed", description: "`If-Match` does not name the present state."),
    Failure(status: 413, name: "ContentTooLarge", description: "The body is too long."),
    Failure(status: 414, name: "URITooLong", description: "The path and the query are too long."),
    Failure(
      status: 415, name: "UnsupportedMediaType", description: "The body is not `application/json`.",
      headers: [("Accept", "What the body may be.")]),
    Failure(
      status: 422, name: "IdempotencyKeyReused",
      description: "The `Idempotency-Key` came with another request before."),
    Failure(
      status: 429, name: "TooManyRequests", description: "A limit is reached.",
      headers: [("Retry-After", "Seconds to wait.")]),
    Failure(status: 431, name: "HeaderFieldsTooLarge", description: "The head is too long."),
    Failure(status: 499, name: "ClientClosedRequest", description: "The caller has given the request up."),
    Failure(
      status: 500, name: "InternalServerError", description: "The server has failed; its log knows the `requestId`."),
    Failure(status: 501, name: "NotImplemented", description: "The service that was reached does not have this yet."),
    Failure(
      status: 503, name: "ServiceUnavailable", description: "The service cannot answer just now. Try again.",
      headers: [("Retry-After", "Seconds to wait.")]),
    Failure(
      status: 504, name: "GatewayTimeout",
      description:
        "No answer came in time. The request may have taken effect: repeat it under the same `Idempotency-Key`."),
  ]

  /// The errors that an operation can answer with.
  static func failures(of operation: APIOperation, asksForTokens: Bool) -> [Failure] {
    let (method, binding) = (operation.method, operation.binding)
    let isPossible: (Int) -> Bool = { status in
      switch status {
      case 401: asksForTokens
      case 403: asksForTokens && method.access != .anyone
      case 408, 413, 415: binding.method.hasBody
      case 409: binding.method != .get
      case 412: binding.hasETag
      case 422: method.takesIdempotencyKey(by: binding.method)
      default: true
      }
    }
    return all.filter { isPossible($0.status) }
  }

  /// The errors by their names.
  static func components(asksForTokens: Bool) -> JSONValue {
    let shown = all.filter { asksForTokens || $0.status != 401 && $0.status != 403 }
    return .object(
      shown.map { failure in
        let headers = failure.headers.map { name, description in
          JSONValue.Member(name, ["description": .string(description), "schema": ["type": "string"]])
        }
        return JSONValue.Member(
          failure.name,
          [
            "description": .string(failure.description),
            "headers": .object([requestID] + headers),
            "content": [
              "application/problem+json": ["schema": ["$ref": .string("#/components/schemas/\(OpenAPITypes.problem)")]]
            ],
          ])
      })
  }

  /// The header of every answer.
  static let requestID = JSONValue.Member("X-Request-Id", ["$ref": "#/components/headers/RequestId"])

  /// What every answer has in its head.
  static let headers: JSONValue = [
    "RequestId": [
      "description": "What the logs call this request: `X-Request-Id` of the request if it has one, or a new id.",
      "required": true, "schema": ["type": "string", "minLength": 1, "maxLength": 128],
    ]
  ]

  /// The shape of errors; `codes` are the names of the RPC statuses.
  static func problem(codes: [String]) -> JSONValue {
    [
      "type": "object", "description": "What went wrong (RFC 9457).",
      "properties": [
        "type": [
          "type": "string", "format": "uri-reference",
          "description": "`about:blank`, or `urn:gozon:problem:` and a stable word for machines.",
        ],
        "title": ["type": "string", "description": "The words of the status."],
        "status": [
          "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the response.",
        ],
        "detail": ["type": "string", "description": "What went wrong and what to do, in words for a person."],
        "code": [
          "type": "string", "enum": .array(codes.map { .string($0) }), "description": "The name of the RPC status.",
        ],
        "requestId": ["type": "string", "description": "What the logs call the request."],
        "errors": [
          "type": "array", "description": "Everything that is wrong with the request at once.",
          "items": [
            "type": "object",
            "properties": [
              "pointer": [
                "type": "string",
                "description": "JSON pointer (RFC 6901) to the field; empty for the request as a whole.",
              ],
              "detail": ["type": "string", "description": "What is wrong and what would be right."],
            ],
            "required": ["pointer", "detail"],
          ],
        ],
      ],
      "required": ["type", "title", "status", "detail", "code", "requestId"],
    ]
  }
}
