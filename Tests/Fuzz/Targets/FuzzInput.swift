/// An input taken apart from its start: numbers read as zero once it is used up.
struct FuzzInput {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// Whether everything was taken.
  var isEmpty: Bool { rest.isEmpty }

  /// The next byte.
  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// A number of so many bytes, little-endian.
  mutating func number(bytes: Int) -> UInt32 {
    (0..<bytes).reduce(0) { $0 | UInt32(byte()) << (8 * UInt32($1)) }
  }

  /// The next bytes, as far as there are so many.
  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  /// Everything that is left.
  mutating func remainder() -> [UInt8] { bytes(rest.count) }
}

extension [UInt8] {
  /// The bytes in pieces of 1 to 64 whose sizes `seed` makes.
  func pieces(seed: UInt8) -> [[UInt8]] {
    var (pieces, start, state): ([[UInt8]], Int, UInt32) = ([], 0, UInt32(seed))
    while start < count {
      state = state &* 1_664_525 &+ 1_013_904_223
      let end = Swift.min(count, start + 1 + Int(state >> 26))
      pieces.append(Array(self[start..<end]))
      start = end
    }
    return pieces
  }
}
