private import Glibc

/// Finds the end of a request's head in bytes as they arrive, and insists on its lines: each ends in CR LF, none is
/// folded (RFC 9112 sections 2.2 and 5.2).
///
/// Looks at every byte once, however the head is cut into pieces.
struct HeadScanner {
  private let limits: HTTPLimits
  /// Bytes of the head seen so far.
  private(set) var count = 0
  /// Whether an empty line precedes the request line; RFC 9112 section 2.2 has a server ignore one.
  private(set) var hasLeadingEmptyLine = false
  private var lines = 0
  private var lineCount = 0
  private var endsInCarriageReturn = false

  init(limits: HTTPLimits) { self.limits = limits }

  /// Scans `bytes` from `start`.
  ///
  /// - Returns: where the head ends; nil when all bytes belong to it and it goes on.
  mutating func scan(_ bytes: borrowing RawSpan, from start: Int) throws(HTTPRefusal) -> Int? {
    var position = start
    while position < bytes.byteCount {
      if lineCount == 0, lines > 0, bytes.byte(at: position).isBlank {
        throw .malformed("A header line is folded.")
      }
      let allowed = position..<min(bytes.byteCount, position + countLeft)
      guard let lineFeed = bytes.first(.lineFeed, in: allowed) else {
        try take(bytes, allowed, isLine: false)
        if allowed.upperBound < bytes.byteCount { throw tooLong }
        return nil
      }
      try take(bytes, position..<lineFeed, isLine: true)
      position = lineFeed + 1
      if try endLine() { return position }
    }
    return nil
  }

  /// How many more bytes are allowed in this line.
  private var countLeft: Int {
    let left = limits.headBytesMax - count
    return lines == 0 ? min(left, limits.requestLineBytesMax - lineCount) : left
  }

  private var tooLong: HTTPRefusal {
    count < limits.headBytesMax
      ? HTTPRefusal(.uriTooLong, "The request line is longer than \(limits.requestLineBytesMax) bytes.")
      : HTTPRefusal(.headerFieldsTooLarge, "The request's head is longer than \(limits.headBytesMax) bytes.")
  }

  /// Counts a piece of a line, without its line feed; a carriage return may only be the line's last byte.
  private mutating func take(_ bytes: borrowing RawSpan, _ piece: Range<Int>, isLine: Bool) throws(HTTPRefusal) {
    let carriageReturn = bytes.first(.carriageReturn, in: piece)
    let isBare = carriageReturn.map { $0 != piece.upperBound - 1 } ?? false
    guard !isBare, piece.isEmpty || !endsInCarriageReturn else { throw Self.badLineEnd }
    if !piece.isEmpty { endsInCarriageReturn = carriageReturn != nil }
    guard !isLine || endsInCarriageReturn else { throw Self.badLineEnd }
    let taken = isLine ? piece.count + 1 : piece.count
    count += taken
    lineCount += taken
  }

  private static var badLineEnd: HTTPRefusal { .malformed("A line does not end in CR LF.") }

  /// Counts a line that ended; true when it ends the head.
  private mutating func endLine() throws(HTTPRefusal) -> Bool {
    let isEmpty = lineCount == 2
    lineCount = 0
    endsInCarriageReturn = false
    if isEmpty, lines == 0 {
      if hasLeadingEmptyLine { throw .malformed("The request begins with empty lines.") }
      hasLeadingEmptyLine = true
      return false
    }
    if isEmpty { return true }
    lines += 1
    if lines > limits.fieldsMax + 1 {
      throw HTTPRefusal(.headerFieldsTooLarge, "The request has more than \(limits.fieldsMax) header fields.")
    }
    return false
  }
}

extension RawSpan {
  /// The byte at an offset.
  func byte(at offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

  /// The offset of the first `byte` in a range.
  func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
    if range.isEmpty { return nil }
    return extracting(range).withUnsafeBytes { bytes in
      memchr(bytes.baseAddress!, Int32(byte), bytes.count).map {
        range.lowerBound + (UnsafeRawPointer($0) - bytes.baseAddress!)
      }
    }
  }
}
