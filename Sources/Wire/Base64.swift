/// Bytes as text: base64 and base64url (RFC 4648 sections 4 and 5).
///
/// A text stands for one value only: what is over in its last character is zero, and nothing else may stand in it.
public enum Base64: Sendable {
  /// With `+`, `/` and padding, as in JSON.
  case standard
  /// With `-` and `_`, and without padding, as JOSE has it (RFC 7515 section 2).
  case url

  /// Appends the text of `bytes`.
  public func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
    let alphabet = letters.span
    text.append(addingCapacity: (bytes.count + 2) / 3 * 4) { output in
      var index = 0
      while index < bytes.count {
        let count = min(3, bytes.count - index)
        var group: UInt32 = 0
        for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[index + place]) : 0) }
        for place in 0..<4 {
          if place <= count {
            output.append(alphabet[Int(group >> UInt32(18 - 6 * place) & 63)])
          } else if isPadded {
            output.append(UInt8(ascii: "="))
          }
        }
        index += 3
      }
    }
  }

  /// The text of `bytes`.
  public func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    append(bytes.span, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the bytes that `text` stands for; false when it is not exactly of this form, and then some may be there.
  public func appendBytes(of text: Span<UInt8>, to bytes: inout [UInt8]) -> Bool {
    let count = digitCount(text)
    guard let count, count % 4 != 1 else { return false }
    var index = 0
    while index < count {
      let digits = min(4, count - index)
      var group: UInt32 = 0
      for place in 0..<4 {
        guard let digit = place < digits ? value(of: text[index + place]) : 0 else { return false }
        group = group << 6 | digit
      }
      guard group & (1 << UInt32(8 * (4 - digits)) - 1) == 0 else { return false }
      for place in 0..<digits - 1 { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place))) }
      index += 4
    }
    return true
  }

  /// The bytes that `text` stands for; nil when it is not exactly of this form.
  public func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    return appendBytes(of: Array(text.utf8).span, to: &bytes) ? bytes : nil
  }

  private var isPadded: Bool { self == .standard }

  private var letters: String.UTF8View {
    self == .standard
      ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
      : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8
  }

  /// How many characters are no padding; nil when the padding is wrong.
  private func digitCount(_ text: Span<UInt8>) -> Int? {
    guard isPadded else { return text.count }
    guard text.count % 4 == 0 else { return nil }
    guard text.count > 0, text[text.count - 1] == UInt8(ascii: "=") else { return text.count }
    return text.count - (text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1)
  }

  private func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
    case UInt8(ascii: "+") where self == .standard, UInt8(ascii: "-") where self == .url: 62
    case UInt8(ascii: "/") where self == .standard, UInt8(ascii: "_") where self == .url: 63
    default: nil
    }
  }
}
