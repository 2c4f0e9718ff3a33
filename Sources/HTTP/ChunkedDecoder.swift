/// Reads a body in chunks (RFC 9112 section 7.1), to the letter.
///
/// http_parser could, but as distributions build it, it takes any two bytes after a chunk's size and data for the end
/// of their lines; another reader of the same bytes then sees other requests in them.
struct ChunkedDecoder {
  private enum State: Equatable {
    /// The first digit of a size must follow.
    case sizeStart
    case size
    case chunkExtension
    case sizeLineFeed
    case data
    case dataCarriageReturn
    case dataLineFeed
    case trailerStart
    case trailer
    case trailerLineFeed
    case endLineFeed
    case end
  }

  private let bytesMax: Int
  private var state = State.sizeStart
  private var chunkLeft = 0
  private var count = 0
  /// The body without its framing.
  private(set) var body: [UInt8] = []

  /// A decoder of a body of at most so many bytes, framing and trailers included.
  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// Takes bytes from `start` on.
  ///
  /// - Returns: where the body ends; nil when it goes on after these bytes.
  mutating func decode(_ bytes: borrowing RawSpan, from start: Int) throws(HTTPRefusal) -> Int? {
    var position = start
    while position < bytes.byteCount {
      if state == .data {
        let taken = min(chunkLeft, bytes.byteCount - position)
        body.append(bytes, position..<position + taken)
        count += taken
        position += taken
        chunkLeft -= taken
        if chunkLeft == 0 { state = .dataCarriageReturn }
        continue
      }
      count += 1
      if count > bytesMax { throw .bodyTooLarge(bytesMax) }
      state = try next(bytes.byte(at: position))
      position += 1
      if state == .end { return position }
    }
    return nil
  }

  private mutating func next(_ byte: UInt8) throws(HTTPRefusal) -> State {
    switch (state, byte) {
    case (.sizeStart, _) where byte.hexadecimalValue != nil: return try size(byte)
    case (.size, _) where byte.hexadecimalValue != nil: return try size(byte)
    case (.size, .carriageReturn), (.chunkExtension, .carriageReturn): return .sizeLineFeed
    case (.size, UInt8(ascii: ";")), (.size, .space), (.size, .horizontalTab): return .chunkExtension
    case (.chunkExtension, _) where byte.isFieldCharacter: return .chunkExtension
    case (.sizeLineFeed, .lineFeed): return chunkLeft == 0 ? .trailerStart : .data
    case (.dataCarriageReturn, .carriageReturn): return .dataLineFeed
    case (.dataLineFeed, .lineFeed): return .sizeStart
    case (.trailerStart, .carriageReturn): return .endLineFeed
    case (.trailerStart, _) where byte.isTokenCharacter: return .trailer
    case (.trailer, .carriageReturn): return .trailerLineFeed
    case (.trailer, _) where byte.isFieldCharacter: return .trailer
    case (.trailerLineFeed, .lineFeed): return .trailerStart
    case (.endLineFeed, .lineFeed): return .end
    default: throw Self.malformed
    }
  }

  private mutating func size(_ digit: UInt8) throws(HTTPRefusal) -> State {
    chunkLeft = chunkLeft << 4 | Int(digit.hexadecimalValue ?? 0)
    if chunkLeft > bytesMax - count { throw .bodyTooLarge(bytesMax) }
    return .size
  }

  private static var malformed: HTTPRefusal { .malformed("The body's chunks are malformed.") }
}

extension HTTPRefusal {
  static func bodyTooLarge(_ bytesMax: Int) -> HTTPRefusal {
    HTTPRefusal(.contentTooLarge, "The request's body is longer than \(bytesMax) bytes.")
  }
}
