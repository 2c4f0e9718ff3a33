/// What decoding one message may use, with everything nested in it: one budget for the whole.
package struct DecodingBudget: Sendable {
  /// The largest message, in bytes. Contents never overlap, so this bounds the text and bytes that are copied.
  package var bytes: Int
  /// Elements of all lists together: an element may take less room in a message than in memory.
  package var elements: Int
  /// Messages inside messages; the outermost is the first.
  package var depth: Int

  /// A budget of 4 MiB, 65,536 elements and 16 levels, unless told otherwise.
  package init(bytes: Int = 4 << 20, elements: Int = 65_536, depth: Int = 16) {
    self.bytes = bytes
    self.elements = elements
    self.depth = depth
  }

  /// 4 MiB, 65,536 elements, 16 levels.
  package static let `default` = DecodingBudget()
}
