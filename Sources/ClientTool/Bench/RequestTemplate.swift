internal import RPC
internal import Wire

/// JSON of which parts are made anew for each request: `{{uuid}}`, `{{sequence}}` and `{{random LEAST MOST}}`.
struct RequestTemplate: Sendable {
  private enum Part: Sendable {
    case text([UInt8])
    case uuid
    case sequence
    case random(ClosedRange<Int64>)
  }

  private let parts: [Part]
  private var count = 0

  /// The template that `text` is.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when something else stands between double braces.
  init(_ text: String) throws(RPCError) {
    var parts: [Part] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "{{") {
      guard let end = rest[start.upperBound...].firstRange(of: "}}") else {
        throw RPCError(
          .invalidArgument, "a placeholder begins with {{ and does not end: \(rest[start.lowerBound...].prefix(40))")
      }
      if start.lowerBound > rest.startIndex { parts.append(.text(Array(rest[..<start.lowerBound].utf8))) }
      parts.append(try Self.placeholder(String(rest[start.upperBound..<end.lowerBound])))
      rest = rest[end.upperBound...]
    }
    if !rest.isEmpty { parts.append(.text(Array(rest.utf8))) }
    self.parts = parts
  }

  /// Whether all requests are the same.
  var isConstant: Bool {
    parts.allSatisfy { if case .text = $0 { true } else { false } }
  }

  /// The next request.
  mutating func next() -> [UInt8] {
    count += 1
    var json: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let text): json += text
      case .uuid: json += "\(UUID.v7(.now))".utf8
      case .sequence: json += "\(count)".utf8
      case .random(let range): json += "\(Int64.random(in: range))".utf8
      }
    }
    return json
  }

  private static func placeholder(_ text: String) throws(RPCError) -> Part {
    let words = text.split(separator: " ")
    switch words.first {
    case "uuid" where words.count == 1: return .uuid
    case "sequence" where words.count == 1: return .sequence
    case "random" where words.count == 3:
      if let least = Int64(words[1]), let most = Int64(words[2]), least <= most { return .random(least...most) }
      throw RPCError(.invalidArgument, "{{\(text)}} needs two whole numbers, the smaller one first: {{random 1 100}}")
    default:
      throw RPCError(
        .invalidArgument, "there is no placeholder {{\(text)}}; there are {{uuid}}, {{sequence}} and {{random 1 100}}")
    }
  }
}
