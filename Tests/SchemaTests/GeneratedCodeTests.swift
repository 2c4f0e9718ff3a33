import RPC
import Schema
import Testing
import Wire

/// The Swift that the build generates from `Schemas/everything.gozon` beside these tests.
@Suite("Generated code")
struct GeneratedCodeTests {
  @Test func `the schema's text survives its literal`() throws {
    #expect(EverythingSchema.file.name == "everything.gozon")
    #expect(
      [EverythingSchema.file.source, SharedSchema.file.source] == (try Fixtures.everything().files.map(\.source)))
  }

  @Test func `every field comes back`() throws {
    let message = Everything.sample
    #expect(message.encoded().count == message.encodedSize)
    #expect(try Everything(decoding: message.encoded()) == message)
    #expect(try Everything(decoding: Everything().encoded()) == Everything())
    #expect(try Nothing(decoding: Nothing().encoded()) == Nothing())
  }

  @Test func `code and descriptors agree on names, numbers and the fixed block`() throws {
    let schemas = try Fixtures.everything()
    let message = try #require(schemas.message(named: Everything.fullName))
    let encoded = Everything.sample.encoded()
    #expect(Int(encoded[0]) | Int(encoded[1]) << 8 == message.fixedLength)
    let present = message.fields.reduce(0 as UInt64) { $0 | 1 << UInt64($1.number - 1) }
    #expect(UInt64.load(encoded.span.bytes, at: 0).map { $0 >> 16 } == present)
    #expect(Color.allCases.map(\.name) == schemas.enums[0].cases.map(\.name))
    #expect(Color.allCases.map(\.rawValue) == schemas.enums[0].cases.map(\.number))
    #expect(Color.zero == .red && Color.fullName == schemas.enums[0].fullName)
    #expect(Color(name: "LIGHT_BLUE") == .lightBlue && Color(name: "lightBlue") == nil)
  }

  @Test func `marks are checked wherever they are, with JSON pointers`() {
    var message = Everything.sample
    #expect(message.validate() == [])
    message.small = 101
    message.ratio = 1.5
    message.name = "far too long!"
    message.maybeName = "abc"
    message.numbers = [1, 2, 3, 4]
    message.leaf.text = ""
    message.leaves[0].children[0].text = "too long"
    #expect(
      message.validate().map { "\($0.pointer) \($0.detail)" } == [
        "/small must be -100 to 100, not 101",
        "/ratio must be 0 to 1, not 1.5",
        "/name must have 0 to 10 characters, not 13",
        "/name must match [A-Za-z \"\\\\]*",
        "/leaf/text must have 1 to 5 characters, not 0",
        "/maybeName must match [A-Z]{3}",
        "/numbers must have 0 to 3 elements, not 4",
        "/leaves/0/children/0/text must have 1 to 5 characters, not 8",
      ])
  }

  @Test func `methods carry their numbers, names and marks`() {
    #expect(CatalogMethods.findLeaf.id == 200 << 8 | 255)
    #expect(CatalogMethods.findLeaf.name == "gozon.test.Catalog/FindLeaf")
    #expect(CatalogMethods.findLeaf.isIdempotent && !CatalogMethods.echo.isIdempotent)
  }

  @Test func `a service's definition holds its methods and its schemas with what they import`() {
    let definition = CatalogImplementation().definition
    #expect(definition.number == 200 && definition.name == "gozon.test.Catalog")
    #expect(definition.methods.map(\.name) == ["Echo", "FindLeaf", "Import"])
    #expect(definition.schema.map(\.name) == ["everything.gozon", "shared.gozon"])
  }
}

private struct CatalogImplementation: CatalogService {
  func echo(_ request: Everything, context: CallContext) async throws -> Everything { request }
  func findLeaf(_ request: FindLeafRequest, context: CallContext) async throws -> Leaf { Leaf() }
  func `import`(_ request: Nothing, context: CallContext) async throws -> Nothing { request }
}

extension Everything {
  /// A message in which every field is there and none is zero.
  static var sample: Everything {
    Everything(
      flag: true, small: -100, big: .min, smallUnsigned: .max, bigUnsigned: .max, ratio: 0.25, name: "a \"b\" \\c",
      blob: [0, 1, 255], id: UUID(high: 1, low: 2), time: Timestamp(microseconds: 1_795_186_200_123_456),
      color: .lightBlue, leaf: Leaf(text: "жуж"), maybeFlag: false, maybeSmall: 5, maybeRatio: -1e300,
      maybeName: "RUB", maybeBlob: [], maybeId: .zero, maybeTime: .zero, maybeColor: .internal, maybeLeaf: Leaf(),
      flags: [true, false], numbers: [1, .max, .min], names: ["", "n"], blobs: [[], [7]], ids: [.zero],
      colors: [.red, .internal], leaves: [Leaf(text: "a", children: [Leaf(text: "b")]), Leaf()], default: 9)
  }
}
