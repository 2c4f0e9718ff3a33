/// Reads the fields of one message from its bytes, in the order of their numbers.
///
/// The layout and the rules are those of `Schemas/PROTOCOL.md`. Every read is a bit test, a bounds check and a load;
/// only text, bytes and lists allocate, and never more than the bytes and the budget allow.
public struct MessageReader: ~Escapable {
  /// The whole message.
  public let bytes: RawSpan
  /// Bit `number + 15` is set when the field is present.
  private let header: UInt64
  /// The end of the fixed block, where the contents may begin.
  private let fixedEnd: Int
  /// Where the content read last ends: the next one begins there or later, so that contents never overlap.
  private var contentEnd: Int
  /// What is left for this message and everything in it.
  public var budget: DecodingBudget

  /// A reader of the message that takes up all of `bytes`, one level deeper than `budget` stands.
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, budget: DecodingBudget) throws(DecodingError) {
    guard bytes.byteCount <= budget.bytes, budget.depth > 0 else { throw Self.overBudget(bytes, budget) }
    guard bytes.byteCount >= 8 else { throw Self.tooShort(bytes) }
    self.bytes = bytes
    header = UInt64(littleEndian: bytes.unsafeLoadUnaligned(as: UInt64.self))
    fixedEnd = 8 + Int(header & 0xFFFF)
    contentEnd = fixedEnd
    self.budget = budget
    self.budget.depth -= 1
    guard bytes.byteCount >= fixedEnd else { throw Self.tooShort(bytes) }
  }

  // MARK: For generated code

  /// Reads a field of a fixed size; its zero when absent.
  public mutating func value<Value: FixedSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> Value {
    try optionalValue(number, at: slot, name) ?? Value.zero
  }

  /// Reads a field of a fixed size; nil when absent.
  public mutating func optionalValue<Value: FixedSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> Value? {
    do throws(DecodingError) {
      guard try isPresent(number, at: slot, size: Value.slotSize) else { return nil }
      if let value = Value.load(bytes, at: slot) { return value }
      throw Self.invalid(Value.self, at: slot)
    } catch {
      throw error.inside(name.description)
    }
  }

  /// Reads a field with content; empty when absent.
  public mutating func value<Value: VariableSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> Value {
    try optionalValue(number, at: slot, name) ?? Value()
  }

  /// Reads a field with content; nil when absent.
  public mutating func optionalValue<Value: VariableSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> Value? {
    do throws(DecodingError) {
      guard let range = try content(number, at: slot) else { return nil }
      do throws(DecodingError) {
        return try Value.decode(bytes.extracting(range), budget: &budget)
      } catch {
        throw error.inside(startingAt: range.lowerBound)
      }
    } catch {
      throw error.inside(name.description)
    }
  }

  // MARK: Slots and contents

  /// Whether a field is present, having checked that its slot is as it must be either way. Errors name no field.
  public func isPresent(_ number: Int, at slot: Int, size: Int) throws(DecodingError) -> Bool {
    guard header & (1 << UInt64(number + 15)) != 0, slot + size <= fixedEnd else {
      try checkAbsent(number, at: slot, size: size)
      return false
    }
    return true
  }

  /// Where the content of a field is: behind the contents before it, and inside the message; nil when absent.
  ///
  /// The fields must be asked for in the order of their numbers. Errors name no field.
  public mutating func content(_ number: Int, at slot: Int) throws(DecodingError) -> Range<Int>? {
    guard try isPresent(number, at: slot, size: 8) else { return nil }
    let position = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: slot, as: UInt64.self))
    let offset = Int(position & 0xFFFF_FFFF)
    let end = offset + Int(position >> 32)
    guard offset >= contentEnd, end <= bytes.byteCount else {
      throw Self.misplaced(offset..<end, after: contentEnd, size: bytes.byteCount, at: slot)
    }
    contentEnd = end
    return offset..<end
  }

  /// Throws unless the slot of an absent field is missing as a whole, or zero.
  private func checkAbsent(_ number: Int, at slot: Int, size: Int) throws(DecodingError) {
    if slot + size <= fixedEnd {
      for offset in slot..<slot + size where bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self) != 0 {
        throw DecodingError("the field is absent, but its slot is not zero", at: offset)
      }
    } else if slot < fixedEnd {
      throw DecodingError("the fixed block ends inside the field's slot", at: fixedEnd)
    } else if header & (1 << UInt64(number + 15)) != 0 {
      throw DecodingError("the field is marked present, but the fixed block ends before its slot", at: fixedEnd)
    }
  }
}

// The errors, out of the way of the code that is inlined.
extension MessageReader {
  @inline(never)
  private static func overBudget(_ bytes: RawSpan, _ budget: DecodingBudget) -> DecodingError {
    bytes.byteCount > budget.bytes
      ? DecodingError("the message has \(bytes.byteCount) bytes; at most \(budget.bytes) are allowed", at: 0)
      : DecodingError("messages are nested too deep", at: 0)
  }

  @inline(never)
  private static func tooShort(_ bytes: RawSpan) -> DecodingError {
    guard bytes.byteCount >= 8 else {
      return DecodingError("the message has \(bytes.byteCount) bytes, its header alone takes 8", at: bytes.byteCount)
    }
    let fixedLength = Int(bytes.unsafeLoadUnaligned(as: UInt64.self).littleEndian & 0xFFFF)
    return DecodingError(
      "the message has \(bytes.byteCount) bytes, its header and fixed block take \(8 + fixedLength)",
      at: bytes.byteCount)
  }

  @inline(never)
  static func invalid(_ type: any FixedSizeValue.Type, at offset: Int) -> DecodingError {
    guard let type = type as? any MessageEnum.Type else { return DecodingError("a bool is 0 or 1", at: offset) }
    return DecodingError("the number is none of \(type.fullName)", at: offset)
  }

  @inline(never)
  private static func misplaced(
    _ range: Range<Int>, after contentEnd: Int, size: Int, at slot: Int
  ) -> DecodingError {
    let problem =
      range.lowerBound < contentEnd
      ? "the content begins at \(range.lowerBound), before \(contentEnd), where what precedes it ends"
      : "the content ends at \(range.upperBound), after the message of \(size) bytes"
    return DecodingError(problem, at: slot)
  }
}
