/// What decoding one message may use, with everything nested in it: one budget for the whole.
public struct DecodingBudget: Sendable {
  /// The largest message, in bytes. Contents never overlap, so this bounds the text and bytes that are copied.
  public var bytes: Int
  /// Elements of all lists together: an element may take less room in a message than in memory.
  public var elements: Int
  /// Messages inside messages; the outermost is the first.
  public var depth: Int

  /// A budget of 4 MiB, 65,536 elements and 16 levels, unless told otherwise.
  public init(bytes: Int = 4 << 20, elements: Int = 65_536, depth: Int = 16) {
    self.bytes = bytes
    self.elements = elements
    self.depth = depth
  }

  /// 4 MiB, 65,536 elements, 16 levels.
  public static let `default` = DecodingBudget()
}
