internal import TLS
internal import Wire

/// What opens a WebSocket (RFC 6455 section 4.2).
enum WebSocketHandshake {
  private static let version = "13"

  /// The protocol that is chosen, and the fields of the response 101.
  static func fields(
    for request: HTTPRequest, subprotocols: [String]
  ) throws(HTTPRefusal) -> (subprotocol: String?, fields: HTTPFields) {
    let fields = request.fields
    guard request.method == .get, !request.head.isVersion10, lists(fields, "upgrade", "websocket"),
      lists(fields, "connection", "upgrade")
    else {
      throw upgradeRequired("This is a WebSocket: open it by GET with Upgrade: websocket, in HTTP/1.1.")
    }
    guard fields.values(of: "sec-websocket-version") == [version] else {
      throw upgradeRequired("The only version of the WebSocket protocol here is \(version).")
    }
    let keys = fields.values(of: "sec-websocket-key")
    guard keys.count == 1, request.body.isEmpty, isKey(Array(keys[0].utf8)) else {
      throw .malformed("Sec-WebSocket-Key must be 16 bytes in base64, once.")
    }
    var answer = HTTPFields([
      ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept(keys[0])),
    ])
    let offered = items(fields, "sec-websocket-protocol")
    let subprotocol = subprotocols.first { offered.contains($0) }
    if let subprotocol { answer.append("Sec-WebSocket-Protocol", subprotocol) }
    return (subprotocol, answer)
  }

  /// The proof that the key was read by somebody who speaks WebSocket.
  static func accept(_ key: String) -> String {
    Base64.standard.encode(SHA1.digest(of: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
  }

  private static func upgradeRequired(_ detail: String) -> HTTPRefusal {
    HTTPRefusal(.upgradeRequired, detail, fields: [("Upgrade", "websocket"), ("Sec-WebSocket-Version", version)])
  }

  private static func items(_ fields: HTTPFields, _ name: String) -> [String] {
    (fields.list(name) ?? "").split(separator: ",").map { item in
      let isBlank = { (character: Character) in character == " " || character == "\t" }
      return String(item.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
  }

  private static func lists(_ fields: HTTPFields, _ name: String, _ word: String) -> Bool {
    items(fields, name).contains { $0.lowercased() == word }
  }

  private static func isKey(_ key: [UInt8]) -> Bool {
    key.count == 24 && key.suffix(2).elementsEqual("==".utf8)
      && key.dropLast(2).allSatisfy {
        $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/")
      }
  }
}

extension HTTPResponse {
  /// Answers a request by opening a WebSocket, with which `handler` talks.
  ///
  /// - Parameters:
  ///   - subprotocols: what may be chosen of those that the client offers, the preferred first.
  ///   - fields: more fields of the response.
  /// - Throws: a refusal when the request does not ask for a WebSocket, or not as it should: 426, or 400.
  package static func webSocket(
    for request: HTTPRequest, subprotocols: [String] = [], fields: [(String, String)] = [],
    handler: @escaping WebSocket.Handler
  ) throws(HTTPRefusal) -> HTTPResponse {
    let (subprotocol, opening) = try WebSocketHandshake.fields(for: request, subprotocols: subprotocols)
    var response = HTTPResponse(.switchingProtocols, fields: opening)
    for (name, value) in fields { response.fields.append(name, value) }
    response.content = .webSocket(subprotocol: subprotocol, handler)
    return response
  }
}
