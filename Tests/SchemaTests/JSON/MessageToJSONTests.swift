import Schema
import Testing
import Wire

/// From the bytes of messages to JSON.
@Suite("JSONTranslator")
struct MessageToJSONTests {
  private let everything = try! JSONFixture("gozon.test.Everything")
  private let leaf = try! JSONFixture("gozon.test.shared.Leaf")

  @Test func `every type has its golden JSON`() throws {
    #expect(try everything.json(Everything.sample.encoded()) == Everything.sampleJSON)
  }

  @Test func `absent fields that are not optional are written as zero, optional ones left out`() throws {
    let zeros = """
      {"flag":false,"small":0,"big":0,"smallUnsigned":0,"bigUnsigned":0,"ratio":0.0,"name":"","blob":"",\
      "id":"00000000-0000-0000-0000-000000000000","time":"1970-01-01T00:00:00Z","color":"RED","leaf":{"children":[]},\
      "flags":[],"numbers":[],"names":[],"blobs":[],"ids":[],"colors":[],"leaves":[]}
      """
    #expect(try everything.json([0, 0, 0, 0, 0, 0, 0, 0]) == zeros)
    #expect(try everything.json(Everything().encoded()) == zeros)
    #expect(try JSONFixture("gozon.test.Nothing").json(Nothing().encoded()) == "{}")
  }

  @Test(arguments: [
    ("", #""""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\n\r\t\u{8}\u{c}", #""\n\r\t\b\f""#),
    ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""), ("жж €\u{1F600}\u{2028}", "\"жж €\u{1F600}\u{2028}\""),
  ])
  func `strings are escaped where they must be and nowhere else`(text: String, json: String) throws {
    #expect(try leaf.json(Leaf(text: text).encoded()) == "{\"text\":\(json),\"children\":[]}")
  }

  @Test(arguments: [0.1, -0.0, 1e21, .leastNonzeroMagnitude, 1.7976931348623157e308, 123456789.123])
  func `numbers come back exactly`(number: Double) throws {
    var message = Everything()
    message.maybeRatio = number
    let json = try everything.json(message.encoded())
    let text = try #require(json.split(separator: "\"maybeRatio\":").last?.prefix { $0 != "," })
    #expect(Double(text)?.bitPattern == number.bitPattern)
  }

  @Test func `what JSON cannot say is an error that names the field`() {
    var message = Everything()
    message.ratio = .nan
    #expect(
      throws: DecodingError("the number is not finite; JSON has no such", at: 33, field: "ratio")
    ) { try everything.json(message.encoded()) }
  }

  @Test func `an error names the whole path and the byte in the outermost message`() throws {
    var encoded = Leaf(text: "a", children: [Leaf(text: "b"), Leaf(text: "c")]).encoded()
    let place = try #require(encoded.lastIndex(of: UInt8(ascii: "c")))
    encoded[place] = 0xFF
    #expect(
      throws: DecodingError("the text is not valid UTF-8", at: place, field: "children[1].text")
    ) { try leaf.json(encoded) }
    #expect(throws: DecodingError("the text is not valid UTF-8", at: place, field: "children[1].text")) {
      try Leaf(decoding: encoded)
    }
  }

  @Test func `every truncation is refused as the generated code refuses it`() {
    let encoded = Everything.sample.encoded()
    for length in 0..<encoded.count {
      let bytes = Array(encoded[..<length])
      #expect(everything.error(bytes) == Self.typedError(bytes), "\(length) bytes")
    }
  }

  @Test(arguments: [1 as UInt64, 2])
  func `changed bytes are refused or accepted as the generated code does`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let encoded = Everything.sample.encoded()
    for _ in 0..<3_000 {
      var changed = encoded
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let (dynamic, typed) = (everything.error(changed), Self.typedError(changed))
      // Only JSON has no NaN.
      if dynamic?.problem == "the number is not finite; JSON has no such" { continue }
      #expect(dynamic == typed)
    }
  }

  @Test func `a small message cannot become endless JSON`() throws {
    // Each message holds two of the next: absent, they cost nothing in the message and 2^20 objects in JSON.
    let levels = (0..<20).map { "/// M.\nmessage M\($0) {\n/// A.\na: M\($0 + 1) = 1\n/// B.\nb: M\($0 + 1) = 2\n}\n" }
    let schemas = try SchemaSet.parse([
      ("t.gozon", "/// T.\npackage t\n" + levels.joined() + "/// M.\nmessage M20 {}\n")
    ])
    let translator = JSONTranslator(schemas)
    var json: [UInt8] = []
    let absent = [UInt8](repeating: 0, count: 8)
    #expect(throws: DecodingError.self) { try translator.append(absent.span.bytes, of: 0, to: &json) }
    json = []
    #expect(throws: DecodingError.self) {
      try translator.append(absent.span.bytes, of: 0, to: &json, sizeMax: 1000, budget: DecodingBudget(depth: 64))
    }
    #expect(json.count < 2000)
  }

  private static func typedError(_ bytes: [UInt8]) -> DecodingError? {
    do {
      _ = try Everything(decoding: bytes)
      return nil
    } catch {
      return error
    }
  }
}

/// A translator of one message.
struct JSONFixture {
  let translator: JSONTranslator
  let index: Int

  func json(_ message: [UInt8]) throws -> String {
    String(decoding: try translator.json(message, of: index), as: UTF8.self)
  }

  func error(_ message: [UInt8]) -> DecodingError? {
    do throws(DecodingError) {
      _ = try translator.json(message, of: index)
      return nil
    } catch {
      return error
    }
  }

  /// The message that texts and a body make.
  func message(_ json: String, texts: [(String, String)] = []) throws(RequestErrors) -> [UInt8] {
    try message(Array(json.utf8), texts: texts)
  }

  func message(
    _ json: [UInt8], texts: [(String, String)] = [], budget: DecodingBudget = .default
  ) throws(RequestErrors) -> [UInt8] {
    var builder = translator.builder(of: index, budget: budget)
    for (name, text) in texts { builder.set(name, fromText: text) }
    builder.merge(json: json)
    return try builder.encode()
  }

  /// What is wrong with a request, each as its pointer and the detail.
  func problems(_ json: String, texts: [(String, String)] = []) -> [String] {
    problems(Array(json.utf8), texts: texts)
  }

  func problems(
    _ json: [UInt8], texts: [(String, String)] = [], budget: DecodingBudget = .default
  ) -> [String] {
    do throws(RequestErrors) {
      _ = try message(json, texts: texts, budget: budget)
      return []
    } catch {
      return error.violations.map { "\($0.pointer) \($0.detail)" }
    }
  }
}

extension JSONFixture {
  /// A translator of the message of this name in this target's schemas.
  init(_ fullName: String) throws {
    let schemas = try Fixtures.everything()
    let index = try #require(schemas.messages.firstIndex { $0.fullName == fullName })
    self.init(translator: JSONTranslator(schemas), index: index)
  }
}

extension Everything {
  /// ``sample`` as JSON.
  static let sampleJSON = #"""
    {"flag":true,"small":-100,"big":-9223372036854775808,"smallUnsigned":4294967295,\#
    "bigUnsigned":18446744073709551615,"ratio":0.25,"name":"a \"b\" \\c","blob":"AAH/",\#
    "id":"00000000-0000-0001-0000-000000000002","time":"2026-11-20T14:50:00.123456Z","color":"LIGHT_BLUE",\#
    "leaf":{"text":"жуж","children":[]},"maybeFlag":false,"maybeSmall":5,"maybeRatio":-1e+300,"maybeName":"RUB",\#
    "maybeBlob":"","maybeId":"00000000-0000-0000-0000-000000000000","maybeTime":"1970-01-01T00:00:00Z",\#
    "maybeColor":"INTERNAL","maybeLeaf":{"children":[]},"flags":[true,false],\#
    "numbers":[1,9223372036854775807,-9223372036854775808],"names":["","n"],"blobs":["","Bw=="],\#
    "ids":["00000000-0000-0000-0000-000000000000"],"colors":["RED","INTERNAL"],\#
    "leaves":[{"text":"a","children":[{"text":"b","children":[]}]},{"children":[]}],"default":9}
    """#
}
