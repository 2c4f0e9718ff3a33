/// A whole request, as a handler gets it. A class, because it is handed on from one function to the next.
package final class HTTPRequest: Sendable {
  let head: RequestHead
  /// The body without its framing; empty when there was none.
  package let body: [UInt8]
  /// The client's address, such as `127.0.0.1:53122`.
  package let peer: String

  init(head: RequestHead, body: [UInt8], peer: String) {
    self.head = head
    self.body = body
    self.peer = peer
  }

  /// A request that did not come from a socket, under the same rules; a `Host` is added when `fields` has none.
  package convenience init(
    _ method: HTTPMethod, _ target: String, fields: [(String, String)] = [], body: [UInt8] = [],
    peer: String = ""
  ) throws(HTTPRefusal) {
    var lines = HTTPFields(fields)
    if !lines.contains("host") { lines.append("Host", "localhost") }
    let text = Array("\(method.rawValue) \(target) HTTP/1.1\r\n".utf8) + lines.text + [.carriageReturn, .lineFeed]
    self.init(head: try RequestHead(parsing: text), body: body, peer: peer)
  }

  /// What is to be done.
  package var method: HTTPMethod { head.method }

  /// The head's fields.
  package var fields: HTTPFields { head.fields }

  /// The target's path as it was sent, percent-encoded; `/` when an absolute target had none, `*` for the whole server.
  package var path: ArraySlice<UInt8> {
    head.path.count == 0 ? [UInt8(ascii: "/")] : head.fields.text[head.path.range]
  }

  /// The target's query as it was sent, without the question mark; nil when there was none.
  package var query: ArraySlice<UInt8>? {
    head.query.map { head.fields.text[$0.range] }
  }

  /// The query's items in order, decoded as `application/x-www-form-urlencoded`.
  ///
  /// - Throws: a refusal when an item is no UTF-8.
  package func queryItems() throws(HTTPRefusal) -> [(name: String, value: String)] {
    guard let query else { return [] }
    var items: [(name: String, value: String)] = []
    for item in query.split(separator: UInt8(ascii: "&")) {
      let equals = item.firstIndex(of: UInt8(ascii: "="))
      guard
        let name = PercentEncoding.decode(item[..<(equals ?? item.endIndex)], plusIsSpace: true),
        let value = PercentEncoding.decode(item[(equals.map { $0 + 1 } ?? item.endIndex)...], plusIsSpace: true)
      else { throw .malformed("The query is not UTF-8.") }
      items.append((name, value))
    }
    return items
  }
}
