import Wire

extension SchemaComparison {
  /// The marks of requests are checked by their readers; those of everything else are a promise to them.
  func boundsFindings(_ step: FieldStep) -> [CompatibilityFinding] {
    let (marks, current) = (step.old.marks, step.new.marks)
    var findings: [CompatibilityFinding] = []
    if step.use.contains(.request) {
      if let range = current.range, !range.includes(marks.range, of: step.old.type) {
        findings.append(tightened(.rangeTightened, "\(range.lowerBound) to \(range.upperBound)", step))
      }
      if let length = current.length, !length.includes(marks.length ?? 0...Int.max) {
        findings.append(tightened(.lengthTightened, "a length of \(length.lowerBound) to \(length.upperBound)", step))
      }
      if let pattern = current.pattern, pattern.text != marks.pattern?.text {
        findings.append(tightened(.patternChanged, "what matches \(pattern.text)", step))
      }
    }
    if step.use.isReadByEarlier, isLoosened(step) {
      findings.append(
        finding(
          .boundsLoosened, [.source], step,
          "the field's bounds are wider or gone; readers may have made room for no more than the old ones; tell them"))
    }
    return findings
  }

  private func tightened(_ rule: CompatibilityRule, _ bounds: String, _ step: FieldStep) -> CompatibilityFinding {
    finding(
      rule, [.wire, .json], step,
      "the field takes only \(bounds) now; requests that were right before may be refused; keep the old bounds, and let"
        + " the service refuse what it cannot do")
  }

  private func isLoosened(_ step: FieldStep) -> Bool {
    let (marks, current) = (step.old.marks, step.new.marks)
    if let range = marks.range, !range.includes(current.range, of: step.new.type) { return true }
    if let length = marks.length, !length.includes(current.length ?? 0...Int.max) { return true }
    return marks.pattern != nil && marks.pattern?.text != current.pattern?.text
  }
}

extension SchemaSet {
  /// Whether what an absent field reads as breaks its marks, or those of a field inside it.
  func zeroBreaksMarks(_ field: FieldDescriptor, levels: Int) -> Bool {
    if let range = field.marks.range, !range.contains(0) { return true }
    if let length = field.marks.length, length.lowerBound > 0 { return true }
    if let pattern = field.marks.pattern, !pattern.matches("") { return true }
    guard case .message(let index) = field.type, field.cardinality == .one, levels > 1 else { return false }
    return messages[index].fields.contains {
      $0.cardinality != .optional && zeroBreaksMarks($0, levels: levels - 1)
    }
  }
}

extension ClosedRange {
  /// Whether every value of the other is one of this.
  fileprivate func includes(_ other: ClosedRange) -> Bool {
    lowerBound <= other.lowerBound && other.upperBound <= upperBound
  }
}

extension ClosedRange<Int64> {
  /// Whether every number of the other range is in this one; nil stands for all numbers of the type.
  fileprivate func includes(_ other: ClosedRange<Int64>?, of type: FieldType) -> Bool {
    if let other { return includes(other) }
    return switch type {
    case .int32: includes(Int64(Int32.min)...Int64(Int32.max))
    case .uint32: includes(0...Int64(UInt32.max))
    case .int64: includes(Int64.min...Int64.max)
    // Marks cannot say all numbers of these.
    default: false
    }
  }
}
