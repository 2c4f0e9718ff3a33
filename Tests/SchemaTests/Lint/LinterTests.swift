import Schema
import Testing

@Suite("Linter")
struct LinterTests {
  /// A schema without faults.
  static let source = """
    /// Things.
    package t.things

    /// What it is like.
    enum Color {
      /// As blood.
      RED = 1
      /// As the sky.
      BLUE = 2
    }

    /// Asks for a page.
    message ListThingsRequest {
      /// At most so many.
      pageSize: int32? = 1 @range(1, 100)
      /// Where the last page ended.
      pageToken: string? = 2 @length(0, 100)
      /// Only these.
      ids: list<uuid> = 3 @length(0, 10)
      /// Only with this code.
      code: string? = 4 @pattern("[A-Z]{3}")
    }

    /// A page.
    message ListThingsResponse {
      /// What was found, of any length.
      colors: list<Color> = 1
      /// Give it with the next call.
      nextPageToken: string = 2
    }

    /// Keeps things.
    service Things = 9 {
      /// A page, newest first.
      rpc ListThings(ListThingsRequest) -> ListThingsResponse = 1
        @http(POST, "/v1/things", status: 201, location: "/v1/things/{nextPageToken}")
        @idempotent
        @access(anyone)
    }

    """

  @Test func `a schema without faults has no findings`() throws {
    #expect(try findings(Self.source) == [])
  }

  static let faults: [(String, String, String)] = [
    ("package t.things", "package t.stuff", "2:9 file-name"),
    ("package t.things", "package t.things\nimport \"other.gozon\"", "3:8 unused-import"),
    ("/// A page.\n", "/// Left over.\nenum Old {\n  /// Once.\n  ONE = 1\n}\n/// A page.\n", "25:6 unused-type"),
    ("/// A page.\n", "/// Left over.\nmessage Old {\n}\n/// A page.\n", "25:9 unused-type"),
    ("/// As blood.", "/// as blood.", "7:3 docs-sentence"), ("/// As blood.", "/// As blood", "7:3 docs-sentence"),
    ("/// As blood.", "/// The red.", "7:3 docs-repeat-name"),
    ("/// Asks for a page.", "/// A list things' request.", "13:9 docs-repeat-name"),
    ("pageSize: int32? = 1 @range(1, 100)", "userID: int32? = 1", "15:3 acronym"),
    ("BLUE = 2", "COLOR_BLUE = 2", "9:3 case-repeats-enum"), ("RED = 1", "RED = 3", "7:3 enum-first-case"),
    ("colors: list<Color> = 1", "total: float64 = 1", "27:3 money-as-float"),
    ("pageToken: string? = 2 @length(0, 100)", "pageToken: string? = 2", "17:3 unbounded-text"),
    ("@pattern(\"[A-Z]{3}\")", "@pattern(\"[A-Z]+\")", "21:3 unbounded-text"),
    (" @length(0, 10)", "", "19:3 unbounded-list"), ("    @idempotent\n", "", "35:7 repeat-unsaid"),
    ("nextPageToken: string = 2", "token: string = 2", "35:7 page-missing"),
    ("    @access(anyone)\n", "", "35:7 access-unsaid"),
    ("POST, \"/v1/things\"", "POST, \"/things\"", "35:7 route-unversioned"),
    ("status: 201", "status: 200", "35:7 location-status"),
    (
      "    @access(anyone)\n",
      "    @access(anyone)\n  /// The same again.\n  rpc Again(ListThingsRequest) -> ListThingsResponse = 2 @idempotent\n",
      "40:7 request-shared"
    ),
    ("/// A page.\n", "// allow acronim: reason\n/// A page.\n", "24:1 allowance"),
    ("/// A page.\n", "// allow acronym\n/// A page.\n", "24:1 allowance"),
    ("/// A page.\n", "// allow acronym: reason\n/// A page.\n", "24:1 allowance"),
  ]

  @Test(arguments: faults) func `a fault is found at its place`(part: String, replacement: String, found: String) throws
  {
    var changed = Self.source.replacing(part, with: replacement)
    try #require(changed != Self.source)
    if found.hasSuffix("money-as-float") {
      changed = changed.replacing("/// Keeps things.", with: Self.holder)
    }
    if found.hasSuffix("page-missing") { changed = changed.replacing("{nextPageToken}", with: "{token}") }
    if found.hasSuffix("acronym") { changed = changed.replacing("rpc ListThings(", with: "rpc Things(") }
    let places = try findings(changed).map { "\($0.place.position) \($0.rule.rawValue)" }
    #expect(places == [found])
  }

  /// Keeps the enum in use.
  private static let holder =
    "/// Asks.\nmessage HoldRequest {\n  /// Which.\n  color: Color = 1\n}\n/// Holds.\nservice Holder = 8 {\n"
    + "  /// Holds it.\n  rpc Hold(HoldRequest) -> ListThingsResponse = 1 @idempotent\n}\n/// Keeps things."

  @Test func `a message that is nearly full is told in time`() throws {
    let fields = (1...41).map { "  /// Something.\n  field\($0): bool? = \($0)\n" }.joined()
    let source = "/// T.\npackage t\n/// Much.\nmessage Full {\n\(fields)}\n"
    #expect(try Linter.findings(in: SchemaSet.parse([("t.gozon", source)])).map(\.rule) == [.messageNearlyFull])
  }

  @Test func `every rule finds something`() {
    let found = Set(Self.faults.compactMap { $0.2.split(separator: " ").last.map(String.init) })
    #expect(Set(LintRule.allCases.map(\.rawValue)) == found.union([LintRule.messageNearlyFull.rawValue]))
  }

  @Test func `a comment with a reason allows what it names in what stands below`() throws {
    let fault = Self.source.replacing("BLUE = 2", with: "COLOR_BLUE = 2")
    for (part, comment) in [("COLOR_BLUE", "  "), ("/// What it is like.", ""), ("package", "")] {
      let allowed = fault.replacing(part, with: "// allow case-repeats-enum: clients know it\n\(comment)\(part)")
      #expect(try findings(allowed) == [])
    }
    let elsewhere = fault.replacing("RED = 1", with: "// allow case-repeats-enum: clients know it\n  RED = 1")
    #expect(try findings(elsewhere).map(\.rule) == [.allowance, .caseRepeatsEnum])
  }

  @Test func `lines that end as on Windows are counted like others`() throws {
    let allowed = Self.source.replacing(
      "BLUE = 2", with: "// allow case-repeats-enum: clients know it\n  COLOR_BLUE = 2")
    #expect(try findings(allowed.replacing("\n", with: "\r\n")) == [])
  }

  @Test func `a finding is written as editors read it`() throws {
    let finding = try #require(try findings(Self.source.replacing(" @length(0, 10)", with: "")).first)
    #expect(
      finding.description
        == "things.gozon:19:3: error: a caller decides how many 'ids' there are; bound them with @length(0, 100)"
        + " [unbounded-list]")
  }

  private func findings(_ source: String) throws -> [LintFinding] {
    let other = ("other.gozon", "/// Nothing here.\npackage t.other\n")
    return Linter.findings(in: try SchemaSet.parse([("things.gozon", source), other]))
  }
}
