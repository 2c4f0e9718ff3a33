internal import EventLoop
internal import HTTP
internal import RPC
internal import Tracing
internal import Wire

/// What a request's headers say about how its call is made.
struct RequestContext {
  /// The time that a client may ask for at most.
  static let timeoutMax: Duration = .seconds(60)
  /// The time of a request that asks for none.
  static let timeoutDefault: Duration = .seconds(10)

  /// The caller's id of this request, or one of ours; in the response and in every log line.
  let requestID: String
  /// How long the call may take.
  let timeout: Duration
  /// The caller's idempotency key.
  let idempotencyKey: String?
  /// Where its trace goes on from (W3C Trace Context).
  let trace: TraceParent
  /// Who the call is made for; nil when nobody is asked.
  let caller: Caller?
}

extension RequestContext {
  /// Reads the headers; an idempotency key counts only where the route takes one.
  init(
    _ fields: HTTPFields, requestID: String, takesIdempotencyKey: Bool, caller: Caller? = nil, trace: TraceParent
  ) throws(Problem) {
    self.requestID = requestID
    self.caller = caller
    timeout = try Self.timeout(fields.values(of: "request-timeout"))
    idempotencyKey = takesIdempotencyKey ? try Self.idempotencyKey(fields.values(of: "idempotency-key")) : nil
    self.trace = trace
  }

  /// The id that the caller gave, when it is sane: 1 to 128 letters, digits and `-._`; otherwise a new UUIDv7.
  static func requestID(_ fields: HTTPFields, random: inout RandomNumbers) -> String {
    if let given = fields["x-request-id"], (1...128).contains(given.utf8.count),
      given.utf8.allSatisfy(isRequestIDCharacter)
    {
      return given
    }
    return UUID.v7(.now, random: random.next()).description
  }

  /// How the call is made. Its metadata are these, and nothing that the client has put into other headers.
  func callOptions() -> CallOptions {
    var metadata = Metadata()
    metadata.append("traceparent") { trace.append(to: &$0) }
    metadata["request-id"] = requestID
    metadata.principal = caller?.principal
    metadata["idempotency-key"] = idempotencyKey
    return CallOptions(timeout: timeout, metadata: metadata)
  }

  private static func isRequestIDCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// Seconds as a decimal number, such as `2` or `0.25`; at most ``timeoutMax``.
  private static func timeout(_ values: [String]) throws(Problem) -> Duration {
    guard let text = values.first else { return timeoutDefault }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let isDigits = { (part: Substring) in (1...9).contains(part.utf8.count) && part.allSatisfy(\.isASCIIDigit) }
    guard values.count == 1, parts.count <= 2, parts.allSatisfy(isDigits), let seconds = Double(text), seconds > 0
    else {
      throw .invalid("Request-Timeout must come once and be a number of seconds above 0, such as 2 or 0.25.")
    }
    return min(.nanoseconds(Int64(seconds * 1e9)), timeoutMax)
  }

  private static func idempotencyKey(_ values: [String]) throws(Problem) -> String? {
    guard let key = values.first else { return nil }
    guard values.count == 1, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw .invalid("Idempotency-Key must come once and be 1 to 255 visible ASCII characters.") }
    return key
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { isASCII && isWholeNumber }
}
