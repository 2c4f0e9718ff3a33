/// What a client says of content codings that it takes (RFC 9110 section 12.5.3).
package enum AcceptEncoding {
  /// Whether a client wants gzip rather than no coding.
  ///
  /// - Parameter list: what it sent as Accept-Encoding; nil when it sent none.
  package static func prefersGzip(_ list: String?) -> Bool {
    guard let list else { return false }
    var (gzip, identity, others): (Int?, Int?, Int?) = (nil, nil, nil)
    for element in list.utf8.split(separator: UInt8(ascii: ",")) {
      let parts = element.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
      guard let weight = weight(parts.dropFirst()) else { continue }
      switch parts[0] {
      case "gzip", "x-gzip": gzip = max(gzip ?? 0, weight)
      case "identity": identity = weight
      case "*": others = weight
      default: break
      }
    }
    let weight = gzip ?? others ?? 0
    return weight > 0 && weight >= identity ?? 0
  }

  private static func trimmed(_ text: Substring.UTF8View) -> String {
    let isBlank = { (byte: UInt8) in byte.isBlank }
    return String(decoding: text.drop(while: isBlank).reversed().drop(while: isBlank).reversed(), as: UTF8.self)
      .lowercased()
  }

  /// Thousandths; nil when it cannot be read (RFC 9110 section 12.4.2).
  private static func weight(_ parameters: ArraySlice<String>) -> Int? {
    guard let parameter = parameters.first else { return 1_000 }
    let digits = parameter.utf8.drop { $0 == UInt8(ascii: "q") || $0 == UInt8(ascii: "=") || $0.isBlank }
    guard parameters.count == 1, parameter.hasPrefix("q"), let first = digits.first, first.isASCIIDigit else {
      return nil
    }
    let fraction = digits.dropFirst()
    guard fraction.isEmpty || fraction.first == UInt8(ascii: "."), fraction.count <= 4,
      fraction.dropFirst().allSatisfy(\.isASCIIDigit)
    else { return nil }
    let thousandths = (0..<3).reduce(Int(first - 0x30)) { sum, place in
      let byte = fraction.dropFirst(place + 1).first ?? 0x30
      return sum * 10 + Int(byte - 0x30)
    }
    return thousandths <= 1_000 ? thousandths : nil
  }
}
