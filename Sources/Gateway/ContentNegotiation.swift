internal import HTTP

/// What the client can read and what it sends (RFC 9110 sections 8.3 and 12.5): here both are JSON.
enum ContentNegotiation {
  static let json = "application/json"

  /// Whether a client that sent this `Accept` takes JSON; one that sent none takes everything.
  static func admitsJSON(_ accept: String?) -> Bool { accept == json || weight(of: json, in: accept) > 0 }

  /// How much a client that sent this `Accept` wants a type, in thousandths; one that sent none takes everything.
  static func weight(of type: String, in accept: String?) -> Int {
    guard let accept, accept != "*/*" else { return 1_000 }
    let ranges = ["*/*", type.prefix { $0 != "/" } + "/*", type]
    var best: (precision: Int, weight: Int)?
    for range in accept.split(separator: ",") {
      let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
      guard let name = parts.first, let precision = ranges.firstIndex(of: name) else { continue }
      if let known = best, known.precision > precision { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
      best = (precision, weight.map { thousandths($0.dropFirst(2)) } ?? 1_000)
    }
    return best?.weight ?? 0
  }

  /// Whether this `Content-Type` is JSON in UTF-8.
  static func isJSON(_ contentType: String) -> Bool {
    if contentType == json { return true }
    let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmed.lowercased() }
    return parts[0] == json && parts.dropFirst().allSatisfy { ["charset=utf-8", "charset=\"utf-8\""].contains($0) }
  }

  /// A weight such as 0, 1, 0.5 or 0.125; one that is none counts as 1.
  private static func thousandths(_ weight: Substring) -> Int {
    guard let value = Double(weight), (0...1).contains(value) else { return 1_000 }
    return Int(value * 1_000)
  }
}

extension StringProtocol {
  /// The text without blanks at its ends.
  var trimmed: SubSequence {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
      return self[startIndex..<startIndex]
    }
    return self[first...last]
  }
}
