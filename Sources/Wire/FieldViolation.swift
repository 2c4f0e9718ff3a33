/// One thing that is wrong with a request.
public struct FieldViolation: Hashable, Sendable {
  /// JSON pointer (RFC 6901) to the field, such as `/amount`; empty for the whole request.
  public let pointer: String
  /// What is wrong and what would be right, in words for a person.
  public let detail: String

  /// A violation at this field.
  public init(pointer: String, detail: String) {
    self.pointer = pointer
    self.detail = detail
  }

  /// The most violations that are reported at once.
  public static let countMax = 32
}
