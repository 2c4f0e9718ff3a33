/// A value whose slot in a message says where in the message its content is, and how long.
public protocol VariableSizeValue {
  /// The value of a field that is absent.
  init()
  /// The size of the content in bytes.
  var encodedSize: Int { get }
  /// Reads the value from its content, whose first byte has offset 0 in errors.
  static func decode(_ content: RawSpan, budget: inout DecodingBudget) throws(DecodingError) -> Self
  /// Writes the content, exactly ``encodedSize`` bytes.
  func write(to writer: inout MessageWriter)
}

extension String: VariableSizeValue {
  /// The length in UTF-8.
  public var encodedSize: Int { utf8.count }

  /// Reads UTF-8, and nothing but valid UTF-8.
  public static func decode(
    _ content: RawSpan, budget: inout DecodingBudget
  ) throws(DecodingError) -> String {
    do {
      return String(copying: try UTF8Span(validating: Span(_bytes: content)))
    } catch {
      throw DecodingError("the text is not valid UTF-8", at: error.byteOffsets.lowerBound)
    }
  }

  /// Writes the text as UTF-8.
  public func write(to writer: inout MessageWriter) {
    writer.append(utf8Span.span.bytes)
  }
}

extension [UInt8]: VariableSizeValue {
  /// The number of bytes.
  public var encodedSize: Int { count }

  /// Copies the bytes.
  public static func decode(
    _ content: RawSpan, budget: inout DecodingBudget
  ) throws(DecodingError) -> [UInt8] {
    content.withUnsafeBytes { [UInt8]($0) }
  }

  /// Writes the bytes.
  public func write(to writer: inout MessageWriter) {
    writer.append(span.bytes)
  }
}

extension Message {
  /// Reads a message, one level deeper than the budget stood.
  public static func decode(
    _ content: RawSpan, budget: inout DecodingBudget
  ) throws(DecodingError) -> Self {
    var reader = try MessageReader(content, budget: budget)
    let message = try Self(from: &reader)
    budget.elements = reader.budget.elements
    return message
  }

  /// Writes the message where the writer stands.
  public func write(to writer: inout MessageWriter) { encode(into: &writer) }
}
