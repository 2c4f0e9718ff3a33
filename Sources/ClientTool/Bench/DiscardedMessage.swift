internal import Wire

/// A message of which nothing is kept but its size, so that a load can take many.
struct DiscardedMessage: Message {
  static let fullName = ""

  /// The bytes that it had.
  private(set) var size = 0

  init() {}

  /// It is never part of another message.
  init(from reader: inout MessageReader) throws(DecodingError) {
    throw DecodingError("a discarded message has no fields", at: 0)
  }

  var encodedSize: Int { 0 }

  static func decode(
    _ content: RawSpan, budget: inout DecodingBudget
  ) throws(DecodingError) -> DiscardedMessage {
    var message = DiscardedMessage()
    message.size = content.byteCount
    return message
  }

  func encode(into writer: inout MessageWriter) {}
}
