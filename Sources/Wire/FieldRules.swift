/// The checks behind the marks of a schema, called from generated code with the message's JSON pointer.
///
/// The gateway checks the same marks with the same words, from the schema it reads at run time.
public enum FieldRules {
  /// `@range`: the number lies between two others, both included.
  public static func range<Number: Comparable & LosslessStringConvertible>(
    _ value: Number?, _ allowed: ClosedRange<Number>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value, !allowed.contains(value) else { return }
    add("must be \(allowed.lowerBound) to \(allowed.upperBound), not \(value)", at: pointer, name, &violations)
  }

  /// `@length`: the text has so many characters (Unicode scalars).
  public static func length(
    _ value: String?, _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value else { return }
    count(value.unicodeScalars.count, allowed, "characters", at: pointer, name, &violations)
  }

  /// `@length`: there are so many bytes.
  public static func length(
    _ value: [UInt8]?, _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value else { return }
    count(value.count, allowed, "bytes", at: pointer, name, &violations)
  }

  /// `@length`: the list has so many elements.
  public static func length<Element>(
    ofList list: [Element], _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    count(list.count, allowed, "elements", at: pointer, name, &violations)
  }

  /// `@pattern`: the whole text matches.
  public static func pattern(
    _ value: String?, _ pattern: Pattern, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value, !pattern.matches(value) else { return }
    add("must match \(pattern.text)", at: pointer, name, &violations)
  }

  private static func count(
    _ count: Int, _ allowed: ClosedRange<Int>, _ what: String, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard !allowed.contains(count) else { return }
    add(
      "must have \(allowed.lowerBound) to \(allowed.upperBound) \(what), not \(count)", at: pointer, name, &violations)
  }

  private static func add(
    _ detail: String, at pointer: String, _ name: StaticString, _ violations: inout [FieldViolation]
  ) {
    guard violations.count < FieldViolation.countMax else { return }
    violations.append(FieldViolation(pointer: "\(pointer)/\(name)", detail: detail))
  }
}
