internal import HTTP

/// What the client can read and what it sends (RFC 9110 sections 8.3 and 12.5): here both are JSON.
enum ContentNegotiation {
  static let json = "application/json"

  /// Whether a client that sent this `Accept` takes JSON; one that sent none takes everything.
  static func admitsJSON(_ accept: String?) -> Bool {
    guard let accept, accept != "*/*", accept != json else { return true }
    var best: (precision: Int, isAdmitted: Bool)?
    for range in accept.split(separator: ",") {
      let parts = range.split(separator: ";").map { $0.trimmed.lowercased() }
      guard let type = parts.first, let precision = ["*/*", "application/*", json].firstIndex(of: type) else {
        continue
      }
      if let known = best, known.precision > precision { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
      best = (precision, !(weight.map { isZero($0.dropFirst(2)) } ?? false))
    }
    return best?.isAdmitted ?? false
  }

  /// Whether this `Content-Type` is JSON in UTF-8.
  static func isJSON(_ contentType: String) -> Bool {
    if contentType == json { return true }
    let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map { $0.trimmed.lowercased() }
    return parts[0] == json && parts.dropFirst().allSatisfy { ["charset=utf-8", "charset=\"utf-8\""].contains($0) }
  }

  /// Whether a weight is 0, 0., 0.0, 0.00 or 0.000.
  private static func isZero(_ weight: Substring) -> Bool {
    weight.first == "0" && weight.dropFirst().allSatisfy { $0 == "." || $0 == "0" }
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
