/// Which values a message of a corpus has.
package enum CorpusCase: String, CaseIterable, Sendable {
  /// What must be there, as near to zero as the marks allow; lists as short as they may be.
  case minimal
  /// Every field, none of them zero, texts that are not ASCII.
  case full
  /// As `full`, with every optional field absent.
  case withoutOptionals = "without-optionals"
  /// Every field, numbers and moments as low as they go.
  case least
  /// Every field, numbers and moments as high as they go, texts and lists as long as their marks allow, but no text of
  /// more than 1,024 characters or bytes and no list of more than 16 elements; without marks a few.
  case greatest
}

/// A message as a release encodes it.
package struct CorpusEntry: Equatable, Sendable {
  /// The message's full name.
  package let message: String
  /// Which values it has, such as `full`.
  package let name: String
  /// The message as JSON, as a translator writes it.
  package let json: String
  /// Its bytes.
  package let bytes: [UInt8]
}
