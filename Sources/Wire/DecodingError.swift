/// Why bytes are not the message they should be.
public struct DecodingError: Error, Equatable, CustomStringConvertible {
  /// The field, with the fields it is nested in: `orders[3].amount`; empty for the message itself.
  public private(set) var field: String
  /// Where in the outermost message, in bytes from its start.
  public private(set) var offset: Int
  /// What is wrong.
  public let problem: String

  /// Something wrong at this byte of the message.
  public init(_ problem: String, at offset: Int, field: String = "") {
    self.field = field
    self.offset = offset
    self.problem = problem
  }

  /// The same error seen from around: what it is about begins at `start`, and belongs to `outer`.
  public func inside(_ outer: String = "", startingAt start: Int = 0) -> DecodingError {
    let separator = field.isEmpty || outer.isEmpty || field.hasPrefix("[") ? "" : "."
    return DecodingError(problem, at: start + offset, field: outer + separator + field)
  }

  /// The field, the place and the problem in one line.
  public var description: String {
    "\(field.isEmpty ? "message" : field) at byte \(offset): \(problem)"
  }
}
