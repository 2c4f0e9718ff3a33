/// The checks behind the marks of a schema, `@range`, `@length` and `@pattern`.
///
/// Generated code calls those that append violations; what reads its schema at run time calls those that return the
/// problem. So both say the same in the same words.
public enum FieldRules {
  /// What is wrong with a number outside its range; nil when nothing is.
  public static func problem(of value: some BinaryInteger, outside allowed: ClosedRange<Int64>) -> String? {
    if value >= allowed.lowerBound, value <= allowed.upperBound { return nil }
    return "must be \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
  }

  /// What is wrong with a number outside its range; nil when nothing is.
  public static func problem(of value: Double, outside allowed: ClosedRange<Int64>) -> String? {
    if value >= Double(allowed.lowerBound), value <= Double(allowed.upperBound) { return nil }
    return "must be \(allowed.lowerBound) to \(allowed.upperBound), not \(value)"
  }

  /// What is wrong with so many `units` (in the plural); nil when nothing is.
  public static func problem(ofCount count: Int, of units: String, outside allowed: ClosedRange<Int>) -> String? {
    if allowed.contains(count) { return nil }
    let wanted =
      allowed.lowerBound == allowed.upperBound
      ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
    return "must have \(wanted) \(units), not \(count)"
  }

  /// What is wrong with a text, in UTF-8, that does not match; nil when it does.
  public static func problem(of text: Span<UInt8>, against pattern: Pattern) -> String? {
    pattern.matches(text) ? nil : "must match \(pattern.text)"
  }

  // MARK: For generated code

  /// `@range` of an integer.
  public static func range(
    _ value: (some BinaryInteger)?, _ allowed: ClosedRange<Int64>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value, let problem = problem(of: value, outside: allowed) else { return }
    add(problem, at: pointer, name, &violations)
  }

  /// `@range` of a floating-point number.
  public static func range(
    _ value: Double?, _ allowed: ClosedRange<Int64>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value, let problem = problem(of: value, outside: allowed) else { return }
    add(problem, at: pointer, name, &violations)
  }

  /// `@length` of a text, in characters (Unicode scalars).
  public static func length(
    _ value: String?, _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value else { return }
    // A scalar takes one to four bytes, and mostly that tells enough without counting.
    let bytes = value.utf8.count
    if bytes <= allowed.upperBound, (bytes + 3) / 4 >= allowed.lowerBound { return }
    let count = value.unicodeScalars.count
    guard let problem = problem(ofCount: count, of: "characters", outside: allowed) else { return }
    add(problem, at: pointer, name, &violations)
  }

  /// `@length` of bytes.
  public static func length(
    _ value: [UInt8]?, _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let count = value?.count, let problem = problem(ofCount: count, of: "bytes", outside: allowed) else { return }
    add(problem, at: pointer, name, &violations)
  }

  /// `@length` of a list, in elements.
  public static func length<Element>(
    ofList list: [Element], _ allowed: ClosedRange<Int>, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let problem = problem(ofCount: list.count, of: "elements", outside: allowed) else { return }
    add(problem, at: pointer, name, &violations)
  }

  /// `@pattern` of a text.
  public static func pattern(
    _ value: String?, _ pattern: Pattern, at pointer: String, _ name: StaticString,
    _ violations: inout [FieldViolation]
  ) {
    guard let value, let problem = problem(of: value.utf8Span.span, against: pattern) else { return }
    add(problem, at: pointer, name, &violations)
  }

  private static func add(
    _ problem: String, at pointer: String, _ name: StaticString, _ violations: inout [FieldViolation]
  ) {
    guard violations.count < FieldViolation.countMax else { return }
    violations.append(FieldViolation(pointer: "\(pointer)/\(name)", detail: problem))
  }
}
