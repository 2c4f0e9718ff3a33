internal import Wire

/// Named values that travel beside a request or a response: trace context, idempotency key, request id.
///
/// Names are lower-case ASCII. On the wire: a u16 of the bytes that follow, then for each pair a u8 length and the name,
/// a u16 length and the value. The pairs are kept as they are on the wire, so that they are one allocation however many
/// there are, and most are never looked at.
package struct Metadata: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  /// The most bytes of encoded pairs.
  package static let bytesMax = 8 * 1024
  /// The most pairs.
  package static let pairsMax = 32

  /// The encoded pairs, in the order they were added.
  private var bytes: [UInt8] = []
  private var count = 0
  /// Whether a pair was left out because its lengths have no room on the wire.
  private var isCut = false

  /// No pairs.
  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { self[name] = value }
  }

  /// Whether there are no pairs.
  package var isEmpty: Bool { count == 0 }

  /// The pairs in the order they were added.
  package var pairs: [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    var start = 0
    while start < bytes.count {
      let pair = pair(at: start)
      pairs.append((text(pair.name), text(pair.value)))
      start = pair.value.upperBound
    }
    return pairs
  }

  /// The first value of that name; setting replaces or adds it, nil removes it.
  package subscript(_ name: String) -> String? {
    get { firstPair(of: name, from: 0).map { text($0.value) } }
    set {
      remove(name)
      guard let newValue else { return }
      append(name) { $0.append(contentsOf: newValue.utf8) }
    }
  }

  /// Adds a pair whose value `write` appends; of that name, none must be there.
  package mutating func append(_ name: String, by write: (inout [UInt8]) -> Void) {
    let start = bytes.count
    // Enough for a trace and a request id.
    if bytes.isEmpty { bytes.reserveCapacity(192) }
    bytes.append(UInt8(truncatingIfNeeded: name.utf8.count))
    bytes.append(contentsOf: name.utf8)
    bytes.append(0)
    bytes.append(0)
    let valueStart = bytes.count
    write(&bytes)
    let length = bytes.count - valueStart
    guard (1...255).contains(name.utf8.count), length <= UInt16.max else {
      bytes.removeSubrange(start...)
      isCut = true
      return
    }
    bytes[valueStart - 2] = UInt8(truncatingIfNeeded: length)
    bytes[valueStart - 1] = UInt8(truncatingIfNeeded: length >> 8)
    count += 1
  }

  private mutating func remove(_ name: String) {
    var start = 0
    while let pair = firstPair(of: name, from: start) {
      start = pair.name.lowerBound - 1
      bytes.removeSubrange(start..<pair.value.upperBound)
      count -= 1
    }
  }

  // MARK: Encoded

  /// Bytes of the encoded form, its length field included.
  var encodedSize: Int { 2 + bytes.count }

  /// Whether the pairs fit the bounds of the wire.
  var fits: Bool { !isCut && bytes.count <= Self.bytesMax && count <= Self.pairsMax }

  /// Appends the encoded form; the pairs must fit.
  func append(to output: inout [UInt8]) {
    output.append(UInt8(truncatingIfNeeded: bytes.count))
    output.append(UInt8(truncatingIfNeeded: bytes.count >> 8))
    output.append(contentsOf: bytes)
  }

  /// Reads the metadata at the start of `bytes`.
  ///
  /// - Returns: nil when they are no metadata; otherwise the pairs and the bytes they took.
  static func decode(_ bytes: RawSpan) -> (metadata: Metadata, size: Int)? {
    guard bytes.byteCount >= 2 else { return nil }
    let end = 2 + Int(bytes.littleEndian(at: 0, as: UInt16.self))
    guard end <= bytes.byteCount, end - 2 <= bytesMax else { return nil }
    var metadata = Metadata()
    var offset = 2
    /// Goes past a text, unless it is none.
    func skipText(_ length: Int) -> Bool {
      guard length <= end - offset else { return false }
      defer { offset += length }
      return isText(bytes.extracting(offset..<(offset + length)))
    }
    while offset < end {
      guard metadata.count < pairsMax else { return nil }
      let nameLength = Int(bytes.littleEndian(at: offset, as: UInt8.self))
      offset += 1
      guard nameLength > 0, skipText(nameLength), end - offset >= 2 else { return nil }
      let valueLength = Int(bytes.littleEndian(at: offset, as: UInt16.self))
      offset += 2
      guard skipText(valueLength) else { return nil }
      metadata.count += 1
    }
    if end > 2 { metadata.bytes = bytes.extracting(2..<end).withUnsafeBytes { Array($0) } }
    return (metadata, end)
  }

  private static func isText(_ bytes: RawSpan) -> Bool {
    bytes.withUnsafeBytes { bytes in
      bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// Where the name and the value lie of the pair that begins at `start`.
  private func pair(at start: Int) -> (name: Range<Int>, value: Range<Int>) {
    let nameEnd = start + 1 + Int(bytes[start])
    let length = Int(bytes[nameEnd]) | Int(bytes[nameEnd + 1]) << 8
    return (start + 1..<nameEnd, nameEnd + 2..<nameEnd + 2 + length)
  }

  private func firstPair(of name: String, from start: Int) -> (name: Range<Int>, value: Range<Int>)? {
    var start = start
    while start < bytes.count {
      let pair = pair(at: start)
      if pair.name.count == name.utf8.count, bytes[pair.name].elementsEqual(name.utf8) { return pair }
      start = pair.value.upperBound
    }
    return nil
  }
}
