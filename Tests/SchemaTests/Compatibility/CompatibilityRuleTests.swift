import Schema
import Testing

/// What a change breaks, rule by rule. Each finding is given as `RULE: LEVELS: SUBJECT`, the package left out.
@Suite("Compatibility rules")
struct CompatibilityRuleTests {
  struct Change: Sendable, CustomTestStringConvertible {
    let part: String
    let replacement: String
    let breaks: [String]

    init(_ part: String, _ replacement: String, _ breaks: String...) {
      (self.part, self.replacement, self.breaks) = (part, replacement, breaks)
    }

    var testDescription: String { "'\(part)' becomes '\(replacement)'" }
  }

  static let services = [
    Change("package t.things", "package t.objects", "package-renamed: json source: t.things"),
    Change("service Finder = 9", "service Finder = 8", "service-number-changed: wire: Finder"),
    Change("service Finder = 9", "service Searcher = 9", "service-renamed: json source: Finder"),
    Change("service Finder = 9", "service Searcher = 8", "service-removed: wire json source: Finder"),
    Change(
      "Touch(TouchRequest) -> Thing = 2", "Touch(TouchRequest) -> Thing = 3",
      "method-number-changed: wire: Finder/Touch"),
    Change("rpc Touch(", "rpc Tap(", "method-renamed: json source: Finder/Touch"),
    Change(
      "rpc Touch(TouchRequest) -> Thing = 2", "rpc Tap(TouchRequest) -> Thing = 3",
      "method-removed: wire json source: Finder/Touch"),
    Change(
      "Touch(TouchRequest) -> Thing", "Touch(Part) -> Thing", "method-request-changed: wire json source: Finder/Touch"),
    Change(
      "Touch(TouchRequest) -> Thing", "Touch(TouchRequest) -> Part",
      "method-response-changed: wire json source: Finder/Touch"),
    Change(
      "Touch(TouchRequest) -> Thing", "Touch(TouchRequest) -> stream Thing",
      "method-shape-changed: wire json source: Finder/Touch"),
    Change("@idempotent\n", "@idempotencyKey\n", "idempotent-removed: wire json: Finder/Find"),
    Change("@idempotencyKey", "", "idempotency-key-removed: wire json: Finder/Touch"),
    Change("@idempotencyKey", "@idempotent"),
    Change("@access(owner: id)", "@access(operator)", "access-narrowed: wire json: Finder/Find"),
    Change("@access(owner: id)", "", "access-narrowed: wire json: Finder/Find"),
    Change("@access(anyone)", "@access(object)", "access-narrowed: wire json: Finder/Touch"),
    Change("@access(owner: id)", "@access(object)"), Change("@access(owner: id)", "@access(anyone)"),
  ]

  static let routes = [
    Change("POST, \"/v1/things/{id}\"", "PUT, \"/v1/things/{id}\"", "route-removed: json: Finder/Find"),
    Change("POST, \"/v1/things/{id}\"", "POST, \"/v2/things/{id}\"", "route-removed: json: Finder/Find"),
    Change("POST, \"/v1/things/{id}\"", "POST, \"/v1/things/{otherId}\"", "route-variable-changed: json: Finder/Find"),
    Change("status: 201", "status: 200", "route-status-changed: json: Finder/Find"),
    Change("location: \"/v1/things/{id}\", etag", "etag", "route-location-changed: json: Finder/Find"),
    Change(
      "location: \"/v1/things/{id}\"", "location: \"/v1/other/{id}\"", "route-location-changed: json: Finder/Find"),
    Change(", etag", "", "route-etag-removed: json: Finder/Find"),
    Change("@http(POST", "@http(POST, \"/v1/find\") @http(POST"),
  ]

  static let messages = [
    Change(
      "/// Event.\nmessage ThingFound {", "/// Event.\nmessage ThingSeen {", "message-removed: wire source: ThingFound"),
    Change("Part", "Piece", "message-renamed: source: Part"),
    Change(
      "@length(0, 5)\n", "@length(0, 5)\n  /// Parts.\n  parts: list<Part> = 2\n",
      "message-became-recursive: source: Part"),
  ]

  static let fields = [
    Change("note: string? = 3", "reserved string? = 3", "field-removed: json source: Thing.note"),
    Change("amount: int64 = 4", "reserved int64 = 4", "field-removed: wire json source: Thing.amount"),
    Change(
      "amount: int64 = 4", "reserved int32 = 4", "field-removed: wire json source: Thing.amount",
      "reserved-type-changed: wire: Thing.amount"),
    Change("  /// Version.\n  version: uint32 = 7\n", "", "field-removed-unreserved: wire json source: Thing.version"),
    Change("note: string?", "remark: string?", "field-renamed: json source: Thing.note"),
    Change(
      "amount: int64 = 4\n  /// Limit.\n  limit: int32 = 5", "limit: int32 = 4\n  /// Amount.\n  amount: int64 = 5",
      "field-number-changed: wire: Thing.limit", "field-number-changed: wire: Thing.amount"),
    Change("amount: int64", "amount: int32", "field-type-changed: wire source: Thing.amount"),
    Change("amount: int64", "amount: uint64", "field-type-changed: wire source: Thing.amount"),
    Change("amount: int64", "amount: string", "field-type-changed: wire json source: Thing.amount"),
    Change("note: string?", "note: list<string>", "field-type-changed: wire json source: Thing.note"),
    Change("part: Part", "part: TouchRequest", "field-type-changed: wire json source: FindRequest.part"),
    Change("amount: int64", "amount: int64?", "field-became-optional: wire json source: Thing.amount"),
    Change("part: Part", "part: Part?", "field-became-optional: source: FindRequest.part"),
    Change("otherId: uuid?", "otherId: uuid", "field-became-required: wire json source: FindRequest.otherId"),
    Change("note: string?", "note: string", "field-became-required: source: Thing.note"),
    Change("why: string?", "why: string", "field-became-required: wire json source: ThingFound.why"),
  ]

  static let addedFields = [
    Change("= 9\n}", "= 9\n  /// New.\n  new: bool = 10\n}", "required-field-added: json: FindRequest.new"),
    Change(
      "= 9\n}", "= 9\n  /// New.\n  new: int32 = 10 @range(1, 2)\n}", "required-field-added: wire json: FindRequest.new"
    ),
    Change(
      "= 9\n}", "= 9\n  /// New.\n  new: list<bool> = 10 @length(1, 2)\n}",
      "required-field-added: wire json: FindRequest.new"),
    Change(
      "= 9\n}",
      "= 9\n  /// New.\n  new: Inner = 10\n}\n/// Inner.\nmessage Inner {\n  /// X.\n  x: string = 1 @length(1, 2)\n}",
      "required-field-added: wire json: FindRequest.new"),
    Change("= 9\n}", "= 9\n  /// New.\n  new: bool? = 10\n  /// New.\n  more: list<bool> = 11\n}"),
    Change("= 7\n}", "= 7\n  /// New.\n  new: bool = 8\n}"),
    Change(
      "why: string? = 2\n", "why: string? = 2\n  /// New.\n  new: Color = 3\n",
      "required-field-added: wire: ThingFound.new"),
  ]

  static let reserved = [
    Change("reserved int32 = 6", "/// New.\n  new: int32 = 6", "reserved-reused: wire: FindRequest 6"),
    Change("reserved int32 = 6", "reserved int64 = 6", "reserved-type-changed: wire: FindRequest 6"),
    Change(
      "  reserved int32 = 6\n  /// Part.\n  part: Part = 7\n  /// Other.\n  otherId: uuid? = 8\n  /// Revision.\n  revision: uint64? = 9\n",
      "",
      "field-removed-unreserved: wire json source: FindRequest.part",
      "field-removed-unreserved: wire json source: FindRequest.otherId",
      "field-removed-unreserved: wire json source: FindRequest.revision", "reserved-removed: wire: FindRequest 6"),
  ]

  static let bounds = [
    Change("@range(1, 10)", "@range(1, 9)", "range-tightened: wire json: FindRequest.count"),
    Change("@range(1, 10)", "@range(0, 11)"),
    Change("@range(1, 10)", ""),
    Change("@length(0, 3)", "@length(1, 3)", "length-tightened: wire json: FindRequest.items"),
    Change("@length(0, 5)", "@length(0, 4)", "length-tightened: wire json: Part.text"),
    Change("@pattern(\"[a-z]{1,3}\")", "@pattern(\"[a-z]{2,3}\")", "pattern-changed: wire json: FindRequest.name"),
    Change(
      "revision: uint64? = 9", "revision: uint64? = 9 @range(0, 9223372036854775807)",
      "range-tightened: wire json: FindRequest.revision"),
    Change("count: int32 = 2 @range(1, 10)", "count: int32 = 2 @range(-2147483648, 2147483647)"),
    Change("@range(0, 9)", "@range(0, 10)", "bounds-loosened: source: Thing.limit"),
    Change("@cursor", "", "cursor-removed: json: Place.cursor"),
    Change("@range(0, 9)", "@range(0, 8)"),
    Change("amount: int64 = 4", "amount: int64 = 4 @range(0, 5)"),
  ]

  static let enums = [
    Change(
      "/// What clients ask for.\nenum Sorting", "/// What clients ask for.\nenum Direction",
      "enum-removed: source: Sorting", "field-type-changed: wire json source: FindRequest.sorting"),
    Change("Sorting", "Direction", "enum-renamed: source: Sorting"),
    Change("  /// Blue.\n  BLUE = 2\n", "", "enum-case-removed: wire json source: Color.BLUE"),
    Change("BLUE", "NAVY", "enum-case-renamed: json source: Color.BLUE"),
    Change("BLUE = 2", "BLUE = 3", "enum-case-renumbered: wire: Color.BLUE"),
    Change("BLUE = 2", "BLUE = 2\n  /// New.\n  GREEN = 3", "enum-case-added: wire json source: Color.GREEN"),
    Change("DOWN = 2", "DOWN = 2\n  /// New.\n  SHUFFLED = 3", "enum-case-added: source: Sorting.SHUFFLED"),
    Change(
      "RED = 1\n  /// Blue.\n  BLUE = 2", "BLUE = 2\n  /// Red.\n  RED = 1", "enum-first-case-changed: wire json: Color"
    ),
  ]

  static let all = services + routes + messages + fields + addedFields + reserved + bounds + enums

  @Test(arguments: all) func `a change breaks what it breaks and nothing else`(change: Change) throws {
    var changed = Things.changed(change.part, change.replacement)
    if change.breaks.first == "enum-removed: source: Sorting" {
      changed = changed.replacing("sorting: Sorting", with: "sorting: bool")
    }
    let findings = try Things.findings(to: changed)
    let found = findings.map { finding in
      let subject = finding.subject.replacing("t.things.", with: "")
      return "\(finding.rule.rawValue): \(finding.levels.map(\.rawValue).joined(separator: " ")): \(subject)"
    }
    #expect(found == change.breaks)
    #expect(findings.allSatisfy { $0.isBreach == ($0.levels != [.source]) })
  }

  @Test func `every rule has a change that breaks it`() {
    let broken = Set(Self.all.flatMap(\.breaks).compactMap { $0.split(separator: ":").first.map(String.init) })
    #expect(Set(CompatibilityRule.allCases.map(\.rawValue)) == broken)
  }

  @Test func `the same schemas break nothing`() throws {
    #expect(try Things.findings(to: Things.source) == [])
    let house = try Fixtures.house()
    #expect(SchemaComparison.findings(from: house, to: house) == [])
  }
}
