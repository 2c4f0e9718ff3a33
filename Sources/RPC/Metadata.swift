internal import Wire

/// Named values that travel beside a request or a response: trace context, idempotency key, request id.
///
/// Names are lower-case ASCII. On the wire: a u16 of the bytes that follow, then for each pair a u8 length and the name,
/// a u16 length and the value.
package struct Metadata: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  /// The most bytes of encoded pairs.
  package static let bytesMax = 8 * 1024
  /// The most pairs.
  package static let pairsMax = 32

  /// The pairs in the order they were added.
  package private(set) var pairs: [(name: String, value: String)] = []

  /// No pairs.
  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { self[name] = value }
  }

  /// Whether there are no pairs.
  package var isEmpty: Bool { pairs.isEmpty }

  /// The first value of that name; setting replaces or adds it, nil removes it.
  package subscript(_ name: String) -> String? {
    get { pairs.first { $0.name == name }?.value }
    set {
      pairs.removeAll { $0.name == name }
      if let newValue { pairs.append((name, newValue)) }
    }
  }

  package static func == (left: Metadata, right: Metadata) -> Bool {
    left.pairs.elementsEqual(right.pairs) { $0 == $1 }
  }

  /// Bytes of the encoded form, its length field included.
  var encodedSize: Int {
    pairs.reduce(2) { $0 + 3 + $1.name.utf8.count + $1.value.utf8.count }
  }

  /// Whether the pairs fit the bounds of the wire.
  var fits: Bool {
    encodedSize - 2 <= Self.bytesMax && pairs.count <= Self.pairsMax
      && pairs.allSatisfy { (1...255).contains($0.name.utf8.count) }
  }

  /// Appends the encoded form; the pairs must fit.
  func append(to bytes: inout [UInt8]) {
    func append16(_ value: Int) {
      bytes.append(UInt8(truncatingIfNeeded: value))
      bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }
    append16(encodedSize - 2)
    for (name, value) in pairs {
      bytes.append(UInt8(truncatingIfNeeded: name.utf8.count))
      bytes.append(contentsOf: name.utf8)
      append16(value.utf8.count)
      bytes.append(contentsOf: value.utf8)
    }
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
    func text(_ length: Int) -> String? {
      guard length <= end - offset else { return nil }
      let part = bytes.extracting(offset..<(offset + length))
      offset += length
      return part.withUnsafeBytes { String(validating: $0, as: UTF8.self) }
    }
    while offset < end {
      guard metadata.pairs.count < pairsMax else { return nil }
      let nameLength = Int(bytes.littleEndian(at: offset, as: UInt8.self))
      offset += 1
      guard nameLength > 0, let name = text(nameLength), end - offset >= 2 else { return nil }
      let valueLength = Int(bytes.littleEndian(at: offset, as: UInt16.self))
      offset += 2
      guard let value = text(valueLength) else { return nil }
      metadata.pairs.append((name, value))
    }
    return (metadata, end)
  }
}
