/// Writes messages into bytes that are already there, all zero, and exactly as many as they need.
///
/// The caller has computed ``VariableSizeValue/encodedSize`` first; a message that writes more than that is our own
/// mistake and stops the program.
public struct MessageWriter: ~Copyable, ~Escapable {
  var bytes: MutableRawSpan
  /// Where the message being written begins.
  var start = 0
  /// The header of the message being written, as far as it is known.
  var header: UInt64 = 0
  /// Where the next content goes.
  var end = 0

  /// A writer that begins at the first of these bytes.
  @_lifetime(copy bytes)
  public init(_ bytes: consuming MutableRawSpan) {
    precondition(bytes.byteCount <= UInt32.max, "a message is larger than its offsets can say")
    self.bytes = bytes
  }

  /// Writes one message: its header, its slots and its contents, all by `fields`.
  public mutating func message(fixedLength: UInt16, _ fields: (inout MessageWriter) -> Void) {
    let outer = (start, header)
    start = end
    header = UInt64(fixedLength)
    end += 8 + Int(fixedLength)
    fields(&self)
    header.store(to: &bytes, at: start)
    (start, header) = outer
  }

  /// Writes a field of a fixed size.
  public mutating func value(_ value: some FixedSizeValue, _ number: Int, at slot: Int) {
    header |= 1 << UInt64(number + 15)
    value.store(to: &bytes, at: start + slot)
  }

  /// Writes a field of a fixed size, unless it is nil.
  public mutating func value(_ value: (some FixedSizeValue)?, _ number: Int, at slot: Int) {
    if let value { self.value(value, number, at: slot) }
  }

  /// Writes a field with content.
  public mutating func value(_ value: some VariableSizeValue, _ number: Int, at slot: Int) {
    content(number, at: slot) { writer in value.write(to: &writer) }
  }

  /// Writes a field with content, unless it is nil.
  public mutating func value(_ value: (some VariableSizeValue)?, _ number: Int, at slot: Int) {
    if let value { self.value(value, number, at: slot) }
  }

  /// Writes a list of values of a fixed size.
  public mutating func list<Element: FixedSizeValue>(_ list: [Element], _ number: Int, at slot: Int) {
    content(number, at: slot) { writer in
      UInt32(list.count).store(to: &writer.bytes, at: writer.end)
      writer.end += 4
      for element in list {
        element.store(to: &writer.bytes, at: writer.end)
        writer.end += Element.slotSize
      }
    }
  }

  /// Writes a list of values with content.
  public mutating func list(_ list: [some VariableSizeValue], _ number: Int, at slot: Int) {
    content(number, at: slot) { writer in
      UInt32(list.count).store(to: &writer.bytes, at: writer.end)
      var length = writer.end + 4
      writer.end = length + 4 * list.count
      for element in list {
        let elementStart = writer.end
        element.write(to: &writer)
        UInt32(writer.end - elementStart).store(to: &writer.bytes, at: length)
        length += 4
      }
    }
  }

  /// Writes bytes where the content being written has come to.
  public mutating func append(_ content: RawSpan) {
    let (from, count) = (end, content.byteCount)
    precondition(from + count <= bytes.byteCount, "a message is larger than its encodedSize")
    // A span has no way yet to copy from another span.
    bytes.withUnsafeMutableBytes { target in
      content.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: target[from..<from + count]).copyMemory(from: source)
      }
    }
    end += count
  }

  /// Writes a content and then, into the slot, where it is.
  mutating func content(_ number: Int, at slot: Int, _ write: (inout MessageWriter) -> Void) {
    header |= 1 << UInt64(number + 15)
    let contentStart = end
    write(&self)
    let position = UInt64(contentStart - start) | UInt64(end - contentStart) << 32
    position.store(to: &bytes, at: start + slot)
  }
}

extension MessageWriter {
  /// The size of a list's content in bytes: the count and the elements.
  public static func size<Element: FixedSizeValue>(ofList list: [Element]) -> Int {
    4 + list.count * Element.slotSize
  }

  /// The size of a list's content in bytes: the count, the lengths and the elements.
  public static func size(ofList list: [some VariableSizeValue]) -> Int {
    list.reduce(4 + 4 * list.count) { $0 + $1.encodedSize }
  }
}
