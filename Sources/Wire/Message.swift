/// A message of a schema: a value that becomes bytes and comes back from them, as `Schemas/PROTOCOL.md` lays down.
///
/// The conforming types are generated from `Schemas/*.gozon`.
public protocol Message: VariableSizeValue, Sendable, Equatable {
  /// The name in its schema with the package, such as `gozon.orders.Order`.
  static var fullName: String { get }

  /// Writes the message at the writer's position.
  func encode(into writer: inout MessageWriter)

  /// Reads a message. Throws ``DecodingError`` for bytes that are not one, naming the field and the byte.
  init(from reader: inout MessageReader) throws(DecodingError)

  /// Appends what breaks the schema's marks (`@range`, `@length`, `@pattern`), up to ``FieldViolation/countMax``.
  ///
  /// `pointer` is the JSON pointer of this message in the request, empty at the top.
  func validate(at pointer: String, into violations: inout [FieldViolation])
}

extension Message {
  /// A message without marks has nothing to break.
  public func validate(at pointer: String, into violations: inout [FieldViolation]) {}

  /// Everything about this request that breaks the schema's marks.
  public func validate() -> [FieldViolation] {
    var violations: [FieldViolation] = []
    validate(at: "", into: &violations)
    return violations
  }

  /// Reads a message that takes up all of the bytes.
  public init(decoding bytes: RawSpan, budget: DecodingBudget = .default) throws(DecodingError) {
    var budget = budget
    self = try Self.decode(bytes, budget: &budget)
  }

  /// Reads a message that takes up all of the bytes.
  public init(decoding bytes: [UInt8], budget: DecodingBudget = .default) throws(DecodingError) {
    try self.init(decoding: bytes.span.bytes, budget: budget)
  }

  /// The message as bytes.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  /// Appends the message to bytes, which grow once.
  public func append(to bytes: inout [UInt8]) {
    let size = encodedSize
    bytes.append(addingCapacity: size) { output in
      output.append(repeating: 0, count: size)
      var span = output.mutableSpan
      var writer = MessageWriter(span.mutableBytes)
      encode(into: &writer)
    }
  }
}
