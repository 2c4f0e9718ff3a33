extension RawSpan {
  /// The little-endian integer at `offset`; the bytes must be there.
  func littleEndian<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Value.Type) -> Value {
    precondition(offset >= 0 && offset <= byteCount - MemoryLayout<Value>.size)
    return Value(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
  }
}

extension MutableRawSpan {
  /// Stores the integer at `offset`, little-endian; the room must be there.
  mutating func storeLittleEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }
}
