import Wire

extension MessageBuilder {
  /// Checks what the schema's marks say about the value that a field has just been given.
  mutating func checkMarks(of field: FieldPlan, _ index: Int, contentStart: Int, _ frame: Frame) {
    for problem in problems(of: field, index, contentStart: contentStart, frame) { report(problem) }
  }

  private func problems(of field: FieldPlan, _ index: Int, contentStart: Int, _ frame: Frame) -> [String] {
    let marks = translator.schemas.messages[frame.message].fields[index].marks
    let content = output.span.extracting(contentStart...)
    let range = marks.range.flatMap { rangeProblem(field.type, output.span.bytes, at: frame.start + field.slot, $0) }
    let length = marks.length.flatMap { lengthProblem(field, content, $0) }
    let pattern = marks.pattern.flatMap { FieldRules.problem(of: content, against: $0) }
    return [range, length, pattern].compactMap(\.self)
  }
}

private func rangeProblem(
  _ type: FieldType, _ bytes: RawSpan, at offset: Int, _ range: ClosedRange<Int64>
) -> String? {
  switch type {
  case .int32: FieldRules.problem(of: Int32.load(bytes, at: offset) ?? 0, outside: range)
  case .uint32: FieldRules.problem(of: UInt32.load(bytes, at: offset) ?? 0, outside: range)
  case .int64: FieldRules.problem(of: Int64.load(bytes, at: offset) ?? 0, outside: range)
  case .uint64: FieldRules.problem(of: UInt64.load(bytes, at: offset) ?? 0, outside: range)
  case .float64: FieldRules.problem(of: Double.load(bytes, at: offset) ?? 0, outside: range)
  default: nil
  }
}

private func lengthProblem(_ field: FieldPlan, _ content: Span<UInt8>, _ allowed: ClosedRange<Int>) -> String? {
  if field.cardinality == .list {
    let count = UInt32.load(content.bytes, at: 0) ?? 0
    return FieldRules.problem(ofCount: Int(count), of: "elements", outside: allowed)
  }
  guard field.type == .string else {
    return FieldRules.problem(ofCount: content.count, of: "bytes", outside: allowed)
  }
  var scalars = 0
  for index in content.indices where content[index] & 0xC0 != 0x80 { scalars += 1 }
  return FieldRules.problem(ofCount: scalars, of: "characters", outside: allowed)
}
