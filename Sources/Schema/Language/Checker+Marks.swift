import Wire

extension Checker {
  /// The bounds that the marks of a field set, as far as they fit its type, and whether it is a cursor.
  mutating func checkFieldMarks(
    _ marks: [MarkSyntax], _ type: FieldType, _ cardinality: Cardinality, in file: Int
  ) -> (bounds: FieldMarks, isCursor: Bool) {
    var bounds = FieldMarks()
    var isCursor = false
    checkRepeats(marks, in: file)
    for mark in marks {
      switch mark.name.value {
      case "cursor":
        isCursor = true
        checkCursor(mark, type, cardinality, in: file)
      case "range": bounds.range = checkRange(mark, type, cardinality, in: file)
      case "length": bounds.length = checkLength(mark, type, cardinality, in: file)
      case "pattern": bounds.pattern = checkPattern(mark, type, cardinality, in: file)
      default: reportUnknown(mark, known: ["range", "length", "pattern", "cursor"], of: "field", in: file)
      }
    }
    return (bounds, isCursor)
  }

  private mutating func checkCursor(
    _ mark: MarkSyntax, _ type: FieldType, _ cardinality: Cardinality, in file: Int
  ) {
    if type != .string || cardinality != .optional {
      report("@cursor is for a 'string?': there is a beginning without one", in: file, at: mark.name.position)
    }
    if !mark.arguments.isEmpty { report("@cursor takes no arguments", in: file, at: mark.name.position) }
  }

  mutating func reportUnknown(_ mark: MarkSyntax, known: [String], of what: String, in file: Int) {
    let name = mark.name.value
    let list = known.map { "@\($0)" }.joined(separator: ", ")
    report(
      "a \(what) has no mark '@\(name)', only \(list)" + suggestion(for: name, among: known), in: file,
      at: mark.name.position)
  }

  mutating func checkRepeats(_ marks: [MarkSyntax], except repeatable: String? = nil, in file: Int) {
    var names: Set<String> = []
    for mark in marks where mark.name.value != repeatable && !names.insert(mark.name.value).inserted {
      report("the mark '@\(mark.name.value)' is there twice", in: file, at: mark.name.position)
    }
  }

  private mutating func checkRange(
    _ mark: MarkSyntax, _ type: FieldType, _ cardinality: Cardinality, in file: Int
  ) -> ClosedRange<Int64>? {
    let allowed: ClosedRange<Int64>? =
      switch type {
      case .int32: Int64(Int32.min)...Int64(Int32.max)
      case .uint32: 0...Int64(UInt32.max)
      case .uint64: 0...Int64.max
      case .int64: Int64.min...Int64.max
      case .float64: -1 << 53...1 << 53
      default: nil
      }
    guard let allowed, cardinality != .list else {
      report("@range bounds a number; this field is none", in: file, at: mark.name.position)
      return nil
    }
    guard let range = checkBounds(mark, in: file) else { return nil }
    if !allowed.contains(range.lowerBound) || !allowed.contains(range.upperBound) {
      report(
        "the type holds \(allowed.lowerBound) to \(allowed.upperBound); the range must lie inside", in: file,
        at: mark.name.position)
      return nil
    }
    return range
  }

  private mutating func checkLength(
    _ mark: MarkSyntax, _ type: FieldType, _ cardinality: Cardinality, in file: Int
  ) -> ClosedRange<Int>? {
    guard type == .string || type == .bytes || cardinality == .list else {
      report("@length bounds a text, bytes or a list; this field is none", in: file, at: mark.name.position)
      return nil
    }
    guard let range = checkBounds(mark, in: file) else { return nil }
    guard range.lowerBound >= 0 else {
      report("a length is never negative", in: file, at: mark.name.position)
      return nil
    }
    return Int(range.lowerBound)...Int(range.upperBound)
  }

  private mutating func checkPattern(
    _ mark: MarkSyntax, _ type: FieldType, _ cardinality: Cardinality, in file: Int
  ) -> Pattern? {
    guard type == .string, cardinality != .list else {
      report("@pattern is for a text; this field is none", in: file, at: mark.name.position)
      return nil
    }
    guard mark.arguments.count == 1, mark.arguments[0].label == nil, case .text(let text) = mark.arguments[0].value
    else {
      report("write the pattern as @pattern(\"[A-Z]{3}\")", in: file, at: mark.name.position)
      return nil
    }
    do {
      return try Pattern(text)
    } catch {
      report("the pattern is \(error)", in: file, at: mark.arguments[0].position)
      return nil
    }
  }

  /// The two numbers of `@range(a, b)` and `@length(a, b)`.
  private mutating func checkBounds(_ mark: MarkSyntax, in file: Int) -> ClosedRange<Int64>? {
    guard mark.arguments.count == 2, mark.arguments.allSatisfy({ $0.label == nil }),
      case .integer(let least) = mark.arguments[0].value, case .integer(let most) = mark.arguments[1].value
    else {
      report("write the two bounds as @\(mark.name.value)(1, 100)", in: file, at: mark.name.position)
      return nil
    }
    guard least <= most else {
      report("the first bound is above the second", in: file, at: mark.arguments[0].position)
      return nil
    }
    return least...most
  }
}
