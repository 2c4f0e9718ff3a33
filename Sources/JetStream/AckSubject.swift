internal import JSON

/// What JetStream tells about a delivery in its reply subject (ADR-15 of the NATS architecture).
///
/// 9 tokens: `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<consumer sequence>.<time>.<pending>`.
/// 11 tokens and more: `$JS.ACK.<domain>.<account>.<stream>.…` the same, and then tokens for later use.
package struct AckSubject: Equatable, Sendable {
  /// How often the message has been delivered, this time included; from 1.
  package var deliveryCount: UInt64
  /// The message's place in its stream.
  package var streamSequence: UInt64
  /// The delivery's place among all of the consumer's.
  package var consumerSequence: UInt64
  /// When the stream took the message, nanoseconds since 1970 UTC.
  package var nanosecondsSince1970: Int64
  /// Messages that the consumer has yet to deliver after this one.
  package var pendingCount: UInt64
}

extension AckSubject {
  /// Later servers may append tokens; what is longer than this is no reply subject.
  private static let tokensMax = 32

  /// Reads a reply subject; nil when it is not one of JetStream's.
  package init?(parsing subject: Span<UInt8>) {
    guard Self.hasPrefix(subject), let first = Self.firstNumber(in: subject) else { return nil }
    var numbers: InlineArray<5, UInt64> = .init(repeating: 0)
    var token = 0
    var start = 0
    while token < first + numbers.count {
      var end = start
      while end < subject.count, subject[end] != UInt8(ascii: ".") { end += 1 }
      if token >= first {
        guard let number = UInt64(digits: subject.extracting(start..<end)) else { return nil }
        numbers[token - first] = number
      }
      token += 1
      start = end + 1
    }
    guard let time = Int64(exactly: numbers[3]) else { return nil }
    deliveryCount = numbers[0]
    streamSequence = numbers[1]
    consumerSequence = numbers[2]
    nanosecondsSince1970 = time
    pendingCount = numbers[4]
  }

  /// The index of the token that counts deliveries, from which the numbers follow.
  private static func firstNumber(in subject: Span<UInt8>) -> Int? {
    var tokens = 1
    for index in subject.indices where subject[index] == UInt8(ascii: ".") { tokens += 1 }
    return switch tokens {
    case 9: 4
    case 11...tokensMax: 6
    default: nil
    }
  }

  private static func hasPrefix(_ subject: Span<UInt8>) -> Bool {
    let prefix: StaticString = "$JS.ACK."
    guard subject.count >= prefix.utf8CodeUnitCount else { return false }
    return prefix.withUTF8Buffer { prefix in
      prefix.indices.allSatisfy { subject[$0] == prefix[$0] }
    }
  }
}

extension UInt64 {
  /// The number that ASCII digits spell; nil when there is none, anything else, or more than 64 bits.
  init?(digits: Span<UInt8>) {
    guard !digits.isEmpty else { return nil }
    var number: UInt64? = 0
    for index in digits.indices { number = number?.appending(digit: digits[index]) }
    guard let number else { return nil }
    self = number
  }
}
