internal import JetStream
internal import JSON
internal import Schema
internal import Wire

/// Shows stored messages by the schema that their header names.
struct MessageView {
  /// The header with the message's name in the schema.
  static let typeHeader = "Gozon-Type"

  private let catalog: Catalog
  private var translators: [String: (index: Int, translator: JSONTranslator)] = [:]

  /// A view that finds schemas in `catalog`.
  init(_ catalog: Catalog) { self.catalog = catalog }

  /// A message that can be shown.
  struct Shown {
    let message: StoredMessage
    /// The message's name in the schema; empty when it does not say.
    let type: String
    /// The content as JSON, or why there is none.
    let content: Result<String, Undecodable>
  }

  /// Why a content cannot be shown as JSON.
  struct Undecodable: Error { let reason: String }

  /// Decodes a message.
  mutating func show(_ message: StoredMessage) -> Shown {
    let type = message.headers[Self.typeHeader] ?? ""
    return Shown(message: message, type: type, content: Result { () throws(Undecodable) in try json(message, type) })
  }

  private mutating func json(_ message: StoredMessage, _ type: String) throws(Undecodable) -> String {
    guard !type.isEmpty else { throw Undecodable(reason: "no header \(Self.typeHeader)") }
    guard let (index, translator) = translator(of: type) else {
      throw Undecodable(reason: "no server that answers knows \(type)")
    }
    do throws(DecodingError) {
      return String(decoding: try translator.json(message.payload, of: index), as: UTF8.self)
    } catch {
      throw Undecodable(reason: "not a \(type): \(error)")
    }
  }

  private mutating func translator(of type: String) -> (index: Int, translator: JSONTranslator)? {
    if let known = translators[type] { return known }
    guard let (index, schemas) = catalog.message(named: type) else { return nil }
    let found = (index: index, translator: JSONTranslator(schemas))
    translators[type] = found
    return found
  }
}

extension MessageView.Shown {
  /// The content in a cell of a table.
  var text: String {
    switch content {
    case .success(let json): json
    case .failure(let problem): "\(message.payload.count) bytes; \(problem.reason)"
    }
  }

  /// Everything on a line; a content that is no JSON as hexadecimal digits.
  var json: String {
    let headers = message.headers.entries.map { JSONValue.Member($0.name, .string($0.value)) }
    var members: [JSONValue.Member] = [
      .init("sequence", .integer(Int64(clamping: message.sequence))), .init("time", .string(message.time)),
      .init("subject", .string(message.subject)), .init("type", .string(type)), .init("headers", .object(headers)),
    ]
    switch content {
    case .success(let json): return "\(JSONValue.object(members))".dropLast() + ",\"message\":\(json)}"
    case .failure(let problem):
      members.append(.init("problem", .string(problem.reason)))
      members.append(.init("payloadHex", .string(Self.hexadecimal(message.payload))))
      return "\(JSONValue.object(members))"
    }
  }

  /// The content in hexadecimal digits, in lines of 32 bytes.
  var hexadecimalLines: String {
    let payload = message.payload
    return stride(from: 0, to: payload.count, by: 32).map { start in
      Self.hexadecimal(payload[start..<min(start + 32, payload.count)])
    }.joined(separator: "\n")
  }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
