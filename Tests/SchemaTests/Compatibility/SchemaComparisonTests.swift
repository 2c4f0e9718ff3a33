import Schema
import Testing

@Suite("Schema comparison")
struct SchemaComparisonTests {
  @Test func `a finding gives both places and a reason that says what to do`() throws {
    let finding = try #require(
      try Things.findings(to: "// One more line.\n" + Things.changed("amount: int64", "amount: int32")).first)
    #expect(finding.old.description == "things.gozon:56:3")
    #expect(finding.new?.description == "things.gozon:57:3")
    #expect(
      finding.reason
        == "the field was int64 and is int32 now; its slot had 8 bytes and has 4, so it and every field behind it are read"
        + " from the wrong place; append a field of the new type and keep this one")
  }

  @Test func `what is gone is shown where it is missing`() throws {
    let field = try #require(
      try Things.findings(to: Things.changed("  /// Version.\n  version: uint32 = 7\n", "")).first)
    #expect(field.new?.description == "things.gozon:48:9")
    let old = try SchemaSet.parse([("things.gozon", Things.source)])
    let empty = try SchemaSet.parse([("other.gozon", "/// O.\npackage o\n")])
    let findings = SchemaComparison.findings(from: old, to: empty)
    #expect(findings.contains { $0.rule == .serviceRemoved && $0.new == nil })
    #expect(findings.allSatisfy { $0.new == nil })
  }

  @Test func `a package that got another name hides no other change`() throws {
    let changed = Things.changed("package t.things", "package t.objects").replacing(
      "amount: int64", with: "amount: int32")
    #expect(try Things.findings(to: changed).map(\.rule) == [.packageRenamed, .fieldTypeChanged])
  }

  @Test func `a message that got another name hides no other change`() throws {
    let changed = Things.changed("Part", "Piece").replacing("text: string", with: "text: bytes")
    #expect(Set(try Things.findings(to: changed).map(\.rule)) == [.messageRenamed, .fieldTypeChanged])
  }

  @Test func `two services that exchange their numbers are both named`() throws {
    func source(_ first: Int, _ second: Int) -> String {
      "/// T.\npackage t\n/// A.\nservice A = \(first) {}\n/// B.\nservice B = \(second) {}\n"
    }
    let findings = SchemaComparison.findings(
      from: try SchemaSet.parse([("t.gozon", source(1, 2))]), to: try SchemaSet.parse([("t.gozon", source(2, 1))]))
    #expect(findings.map(\.subject) == ["t.A", "t.B"])
    #expect(findings.allSatisfy { $0.rule == .serviceNumberChanged })
  }

  @Test func `a removed field of the same name as an appended one is a removed one`() throws {
    let changed = Things.changed("amount: int64 = 4", "reserved int64 = 4").replacing(
      "version: uint32 = 7", with: "version: uint32 = 7\n  /// Amount.\n  amount: string = 8")
    #expect(try Things.findings(to: changed).map(\.rule) == [.fieldRemoved])
  }

  @Test func `a message of both a request and an event suffers in both`() throws {
    let both = Things.changed("why: string? = 2", "why: string? = 2\n  /// Asked.\n  asked: Part? = 3")
    let later = both.replacing("@length(0, 5)", with: "@length(0, 5)\n  /// New.\n  new: bool = 2")
    let findings = SchemaComparison.findings(
      from: try SchemaSet.parse([("things.gozon", both)]), to: try SchemaSet.parse([("things.gozon", later)]))
    #expect(findings.map(\.levels) == [[.wire, .json]])
    #expect(
      findings.first?.reason
        == "the field is new and must be there; earlier clients do not send it, and JSON without it is refused; what lies"
        + " about reads as false, as if somebody had said so; make it optional")
  }

  @Test(arguments: [
    ("amount: int64 = 4", "// allow field-type-changed: nobody has read it yet\n  amount: int32 = 4"),
    (
      "/// Response.\nmessage Thing {",
      "// allow field-type-changed: nobody has read it yet\n/// Response.\nmessage Thing {"
    ),
    ("package t.things", "// allow field-type-changed: nobody has read it yet\npackage t.things"),
  ])
  func `a comment allows a breach in what stands below it, and its reason is told`(
    part: String, replacement: String
  ) throws {
    let allowed = Things.changed(part, replacement).replacing("amount: int64", with: "amount: int32")
    let finding = try #require(try Things.findings(to: allowed).first)
    #expect(!finding.isBreach && finding.allowance == "nobody has read it yet")
  }

  @Test func `a comment allows neither another rule nor another declaration`() throws {
    for comment in [
      "// allow field-renamed: reason\n  amount: int32 = 4", "amount: int32 = 4\n  // allow field-type-changed: reason",
    ] {
      let finding = try #require(try Things.findings(to: Things.changed("amount: int64 = 4", comment)).first)
      #expect(finding.isBreach)
    }
  }
}
