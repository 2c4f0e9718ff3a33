/// A request's head: request line and fields, checked.
struct RequestHead: Sendable {
  /// How the end of the body is found (RFC 9112 section 6).
  enum Framing: Equatable, Sendable {
    case none
    /// So many bytes, at least one.
    case length(Int)
    case chunked
  }

  var method: HTTPMethod
  /// Where the path lies in the fields' text; empty when an absolute target had none.
  var path: HTTPFields.Extent
  /// Where the query lies, without its question mark.
  var query: HTTPFields.Extent?
  var fields: HTTPFields
  /// Whether the client speaks HTTP/1.0 rather than 1.1.
  var isVersion10: Bool
  /// Whether the connection stays open after the response, as far as the client is concerned.
  var keepsAlive: Bool
  /// Whether the client waits for `100 Continue` before it sends the body.
  var expectsContinue: Bool
  var framing: Framing
  /// Whether what follows the request may be another protocol.
  var asksForUpgrade = false
}

extension RequestHead {
  /// The head that `text` is, from the request line to the empty line.
  ///
  /// `text` has passed a ``HeadScanner``: it consists of lines that end in CR LF, none of them folded, the last empty.
  init(parsing text: [UInt8]) throws(HTTPRefusal) {
    let lexed = try LexedHead(text)
    let line = try RequestLine(lexed, text)
    let rules = try FieldRules(lexed.entries, text, isVersion10: line.isVersion10)
    method = line.method
    path = line.path
    query = line.query
    fields = HTTPFields(text: text, entries: lexed.entries)
    isVersion10 = line.isVersion10
    keepsAlive = lexed.keepsAlive
    expectsContinue = rules.expectsContinue && rules.framing != .none
    framing = rules.framing
    asksForUpgrade = rules.asksForUpgrade
  }
}
