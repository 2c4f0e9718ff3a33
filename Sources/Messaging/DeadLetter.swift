/// How a message looks in the stream DEAD: its subject with a prefix, its headers with some more, its payload.
package enum DeadLetter {
  /// What stands in front of the subject that it was published on.
  package static let subjectPrefix = "dead."
  /// Why it could not be processed.
  package static let reasonHeader = "Gozon-Reason"
  /// The stream that it was in.
  package static let streamHeader = "Gozon-Stream"
  /// Its sequence there.
  package static let sequenceHeader = "Gozon-Sequence"
  /// How many bytes its payload had; only when it was cut.
  package static let sizeHeader = "Gozon-Size"
  /// All headers that a message gets there.
  package static let headers = [reasonHeader, streamHeader, sequenceHeader, sizeHeader]
}
