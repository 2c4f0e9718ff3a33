/// Percent-encoding of parts of a URI (RFC 3986 section 2.1).
package enum PercentEncoding {
  /// The text that percent-encoded bytes stand for; nil when an escape is broken or the text is no UTF-8.
  ///
  /// With `plusIsSpace`, a `+` is a space, as in queries written by forms.
  package static func decode(_ encoded: ArraySlice<UInt8>, plusIsSpace: Bool = false) -> String? {
    let plus = UInt8(ascii: "+")
    guard encoded.contains(where: { $0 == UInt8(ascii: "%") || plusIsSpace && $0 == plus }) else {
      return String(validating: encoded, as: UTF8.self)
    }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(encoded.count)
    var rest = encoded
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%") {
        guard let high = rest.popFirst()?.hexadecimalValue, let low = rest.popFirst()?.hexadecimalValue else {
          return nil
        }
        decoded.append(high << 4 | low)
      } else {
        decoded.append(plusIsSpace && byte == plus ? .space : byte)
      }
    }
    return String(validating: decoded, as: UTF8.self)
  }

  /// `text` as one segment of a path: everything but unreserved characters is escaped.
  package static func encodeSegment(_ text: String) -> String {
    if text.utf8.allSatisfy(\.isUnreserved) { return text }
    let digits = Array("0123456789ABCDEF".utf8)
    var encoded: [UInt8] = []
    for byte in text.utf8 {
      if byte.isUnreserved {
        encoded.append(byte)
      } else {
        encoded += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }
}

extension UInt8 {
  /// Whether it stands for itself everywhere in a URI (RFC 3986 section 2.3).
  fileprivate var isUnreserved: Bool {
    if isASCIILetter || isASCIIDigit { return true }
    switch self {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
    default: return false
    }
  }
}
