import Testing
import Wire

@Suite("FieldRules")
struct FieldRulesTests {
  private func violations(_ check: (inout [FieldViolation]) -> Void) -> [FieldViolation] {
    var violations: [FieldViolation] = []
    check(&violations)
    return violations
  }

  @Test func `a number outside its range is named with the range`() {
    #expect(violations { FieldRules.range(1 as Int64, 1...9, at: "", "amount", &$0) }.isEmpty)
    #expect(violations { FieldRules.range(nil as Int32?, 1...9, at: "", "amount", &$0) }.isEmpty)
    #expect(
      violations { FieldRules.range(0 as Int64, 1...9, at: "/orders/3", "amount", &$0) }
        == [FieldViolation(pointer: "/orders/3/amount", detail: "must be 1 to 9, not 0")])
  }

  @Test func `a length counts what a person would count`() {
    #expect(violations { FieldRules.length("жжж", 0...3, at: "", "note", &$0) }.isEmpty)
    #expect(
      violations { FieldRules.length("жжжж", 0...3, at: "", "note", &$0) }
        == [FieldViolation(pointer: "/note", detail: "must have 0 to 3 characters, not 4")])
    #expect(
      violations { FieldRules.length([1, 2] as [UInt8]?, 3...3, at: "", "key", &$0) }
        == [FieldViolation(pointer: "/key", detail: "must have 3 bytes, not 2")])
    #expect(
      violations { FieldRules.length(ofList: [true], 2...4, at: "", "flags", &$0) }
        == [FieldViolation(pointer: "/flags", detail: "must have 2 to 4 elements, not 1")])
  }

  @Test func `a text that does not match is named with the pattern`() throws {
    let pattern = try Pattern("[A-Z]{3}")
    #expect(
      violations { FieldRules.pattern("rub", pattern, at: "", "currency", &$0) }
        == [FieldViolation(pointer: "/currency", detail: "must match [A-Z]{3}")])
    #expect(violations { FieldRules.pattern(nil, pattern, at: "", "currency", &$0) }.isEmpty)
  }

  @Test func `at most 32 violations are collected`() {
    let many = violations { for _ in 0..<100 { FieldRules.range(0 as Int32, 1...2, at: "", "a", &$0) } }
    #expect(many.count == 32)
  }
}
