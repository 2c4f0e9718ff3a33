package import Wire

/// A message that is moved as it is: for those who know its type only at run time.
package struct RawMessage: Message {
  package static var fullName: String { "" }

  /// The encoded message.
  package var bytes: [UInt8]

  /// The message that is encoded as `bytes`.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package init() { bytes = [] }

  /// A raw message is never part of another, so that nobody reads it field by field.
  package init(from reader: inout MessageReader) throws(DecodingError) {
    throw DecodingError("a raw message has no fields", at: 0)
  }

  package var encodedSize: Int { bytes.count }

  package static func decode(
    _ content: RawSpan, budget: inout DecodingBudget
  ) throws(DecodingError) -> RawMessage {
    RawMessage(try [UInt8].decode(content, budget: &budget))
  }

  package func encode(into writer: inout MessageWriter) { bytes.write(to: &writer) }
}
