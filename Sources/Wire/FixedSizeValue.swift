/// A value whose slot in a message holds the value itself.
public protocol FixedSizeValue {
  /// The size of the slot in bytes.
  static var slotSize: Int { get }
  /// The value of a field that is absent.
  static var zero: Self { get }
  /// Reads the value from a slot; nil when the bytes are no value of the type. The slot is in bounds.
  static func load(_ bytes: RawSpan, at offset: Int) -> Self?
  /// Writes the value to a slot. The slot is in bounds.
  func store(to bytes: inout MutableRawSpan, at offset: Int)
}

extension FixedSizeValue where Self: FixedWidthInteger & BitwiseCopyable {
  /// As many bytes as the integer has.
  public static var slotSize: Int { MemoryLayout<Self>.size }

  /// Reads a little-endian integer.
  public static func load(_ bytes: RawSpan, at offset: Int) -> Self? {
    Self(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Self.self))
  }

  /// Writes a little-endian integer.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.storeBytes(of: littleEndian, toByteOffset: offset, as: Self.self)
  }
}

extension Int32: FixedSizeValue {}
extension Int64: FixedSizeValue {}
extension UInt16: FixedSizeValue {}
extension UInt32: FixedSizeValue {}
extension UInt64: FixedSizeValue {}

extension Double: FixedSizeValue {
  /// IEEE 754 binary64.
  public static var slotSize: Int { 8 }

  /// Reads the bits as a little-endian integer.
  public static func load(_ bytes: RawSpan, at offset: Int) -> Double? {
    UInt64.load(bytes, at: offset).map(Double.init(bitPattern:))
  }

  /// Writes the bits as a little-endian integer.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    bitPattern.store(to: &bytes, at: offset)
  }
}

extension Bool: FixedSizeValue {
  /// One byte.
  public static var slotSize: Int { 1 }
  /// False.
  public static var zero: Bool { false }

  /// Reads 0 as false and 1 as true.
  public static func load(_ bytes: RawSpan, at offset: Int) -> Bool? {
    let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    return byte > 1 ? nil : byte == 1
  }

  /// Writes 0 or 1.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.storeBytes(of: self ? 1 : 0, toByteOffset: offset, as: UInt8.self)
  }
}

extension UUID: FixedSizeValue {
  /// The 16 bytes of RFC 9562, in the order of the text form.
  public static var slotSize: Int { 16 }

  /// Reads 16 bytes in the order of the text form.
  public static func load(_ bytes: RawSpan, at offset: Int) -> UUID? {
    UUID(
      high: UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)),
      low: UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
  }

  /// Writes 16 bytes in the order of the text form.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    bytes.storeBytes(of: high.bigEndian, toByteOffset: offset, as: UInt64.self)
    bytes.storeBytes(of: low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
  }
}

extension Timestamp: FixedSizeValue {
  /// The microseconds as an int64.
  public static var slotSize: Int { 8 }

  /// Reads the microseconds.
  public static func load(_ bytes: RawSpan, at offset: Int) -> Timestamp? {
    Int64.load(bytes, at: offset).map(Timestamp.init(microseconds:))
  }

  /// Writes the microseconds.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    microseconds.store(to: &bytes, at: offset)
  }
}

extension MessageEnum {
  /// The number as a u16.
  public static var slotSize: Int { 2 }

  /// Reads the number; nil for one that the enumeration does not have.
  public static func load(_ bytes: RawSpan, at offset: Int) -> Self? {
    UInt16.load(bytes, at: offset).flatMap(Self.init(rawValue:))
  }

  /// Writes the number.
  public func store(to bytes: inout MutableRawSpan, at offset: Int) {
    rawValue.store(to: &bytes, at: offset)
  }
}
