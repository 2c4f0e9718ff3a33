import Schema
import Testing
import Wire

/// From JSON and texts to the bytes of messages.
@Suite("MessageBuilder")
struct MessageBuilderTests {
  private let everything = try! JSONFixture("gozon.test.Everything")
  private let leaf = try! JSONFixture("gozon.test.shared.Leaf")
  private let find = try! JSONFixture("gozon.test.FindLeafRequest")

  @Test func `JSON becomes the bytes that the generated code writes`() throws {
    #expect(try everything.message(Everything.sampleJSON) == Everything.sample.encoded())
  }

  @Test func `the members may come in any order, with any space`() throws {
    let json = """
      \r\n\t { "leaves" : [ { "children" : [ { "children" : [] , "text" : "b" } ] , "text" : "a" } , { } ] ,
      "names":["","n"], "numbers":[1, 9223372036854775807 ,-9223372036854775808], "default": 9, "flag" : true ,
      "blobs":["","Bw=="],"colors":["RED","INTERNAL"],"ids":["00000000-0000-0000-0000-000000000000"],
      "flags" : [ true , false ], "maybeLeaf":{}, "maybeBlob":"","maybeId":"00000000-0000-0000-0000-000000000000",
      "maybeTime":"1970-01-01T00:00:00Z","maybeColor":"INTERNAL", "maybeName":"RUB","maybeRatio":-1e300,
      "maybeFlag":false,"maybeSmall":5,"leaf":{"text":"жуж"},"color":"LIGHT_BLUE",
      "time":"2026-11-20T17:50:00.123456+03:00", "id":"00000000-0000-0001-0000-000000000002", "blob":"AAH/",
      "name":"a \\u0022b\\" \\\\c", "ratio":25e-2, "bigUnsigned":18446744073709551615,"smallUnsigned":4294967295,
      "big":-9223372036854775808, "small":-100 } \n
      """
    #expect(try everything.message(json) == Everything.sample.encoded())
  }

  @Test func `texts of the path and the query join the body`() throws {
    let id = "0123abcd-89ab-cdef-8899-aabbccddeeff"
    let expected = FindLeafRequest(id: try #require(UUID(id)), color: .lightBlue).encoded()
    #expect(try find.message("", texts: [("id", id), ("color", "LIGHT_BLUE")]) == expected)
    #expect(try find.message(#"{"color":"LIGHT_BLUE"}"#, texts: [("id", id)]) == expected)
    #expect(try find.message("{\"id\":\"\(id)\"}", texts: [("color", "LIGHT_BLUE")]) == expected)
  }

  @Test func `what the path gives does not belong into the body`() {
    let id = "0123abcd-89ab-cdef-8899-aabbccddeeff"
    let given = "is given by the path or the query already; leave it out of the body"
    #expect(find.problems("{\"id\":\"\(id)\"}", texts: [("id", id)]) == ["/id \(given)"])
    #expect(find.problems("", texts: [("id", id), ("id", id)]) == ["/id is given twice"])
  }

  @Test func `a text is read as its field's type`() throws {
    let texts = [
      ("flag", "true"), ("small", "-7"), ("big", "-9223372036854775808"), ("smallUnsigned", "0"),
      ("bigUnsigned", "18446744073709551615"), ("ratio", "1e-1"), ("name", "null"), ("blob", "AA=="),
      ("time", "2026-11-20T14:50:00Z"), ("color", "RED"), ("maybeFlag", "false"),
    ]
    let json = #"{"id":"00000000-0000-0001-0000-000000000002","leaf":{}}"#
    let message = try Everything(decoding: try everything.message(json, texts: texts))
    #expect(message.flag && message.small == -7 && message.big == .min && message.bigUnsigned == .max)
    #expect(message.ratio == 0.1 && message.name == "null" && message.blob == [0] && message.maybeFlag == false)
    #expect(message.time == Timestamp(microseconds: 1_795_186_200_000_000))
  }

  @Test(arguments: ["_-8", "/+8="])
  func `bytes are base64url or base64 as a text`(text: String) throws {
    let message = try Everything(decoding: try everything.message(Self.rest, texts: [("blob", text)]))
    #expect(message.blob == [0xFF, 0xEF])
  }

  @Test func `a list is given by a text for each element, among others, in their order`() throws {
    let texts = [
      ("names", "b"), ("numbers", "9223372036854775807"), ("colors", "RED"), ("names", ""), ("numbers", "-1"),
      ("blobs", "_w"), ("flags", "true"), ("names", "ä"), ("flags", "false"), ("blobs", ""), ("colors", "INTERNAL"),
      ("ids", "00000000-0000-0001-0000-000000000002"), ("maybeName", "RUB"),
    ]
    let expected = #"""
      {"names":["b","","ä"],"numbers":[9223372036854775807,-1],"blobs":["/w==",""],"flags":[true,false],
      "colors":["RED","INTERNAL"],"ids":["00000000-0000-0001-0000-000000000002"],"maybeName":"RUB",
      """#
    let rest = Self.rest.dropFirst()
    #expect(
      try everything.message(#"{"blob":"",\#(rest)"#, texts: texts)
        == everything.message(#"\#(expected)"blob":"",\#(rest)"#))
  }

  @Test func `a list of texts is named where it is wrong`() {
    #expect(
      everything.problems(
        "", texts: [("numbers", "1"), ("numbers", "x"), ("colors", "RED"), ("numbers", "2"), ("numbers", "1.5")]
      ).filter { !$0.contains("is missing") } == [
        "/numbers/1 expected an integer, found 'x'", "/numbers/3 expected an integer, found 1.5",
      ])
    let four = Array(repeating: ("numbers", "1"), count: 4)
    #expect(everything.problems("", texts: four).first == "/numbers must have 0 to 3 elements, not 4")
    #expect(everything.problems("", texts: [("leaves", "{}")]).first == "/leaves/0 an object cannot be given as a text")
    #expect(
      everything.problems(#"{"names":[]}"#, texts: [("names", "a")]).first
        == "/names is given by the path or the query already; leave it out of the body")
  }

  @Test func `the elements of texts count for the budget`() {
    let texts = Array(repeating: ("names", "a"), count: 3)
    let budget = DecodingBudget(bytes: 1 << 20, elements: 2, depth: 16)
    #expect(everything.problems([], texts: texts, budget: budget).first == "/names the list has too many elements")
  }

  /// The fields that must be there, but for `blob`.
  private static let rest =
    #"{"flag":true,"small":1,"big":1,"smallUnsigned":1,"bigUnsigned":1,"ratio":1,"name":"","#
    + #""id":"00000000-0000-0001-0000-000000000002","time":"2026-11-20T14:50:00Z","color":"RED","leaf":{}}"#

  @Test(arguments: [
    ("small", "", "expected an integer, found ''"), ("small", " 1", "expected an integer, found ' 1'"),
    ("small", "1 ", "expected an integer, found '1 '"), ("small", "+1", "expected an integer, found '+1'"),
    ("small", "01", "expected an integer, found '01'"), ("small", "1.0", "expected an integer, found 1.0"),
    ("small", "true", "expected an integer, found 'true'"), ("small", "101", "must be -100 to 100, not 101"),
    ("small", "2147483648", "must be -2147483648 to 2147483647, not 2147483648"),
    ("flag", "1", "expected true or false, found '1'"), ("flag", "TRUE", "expected true or false, found 'TRUE'"),
    ("id", "x", "expected a UUID as a string, found 'x'"),
    ("blob", "A", "expected bytes as a base64 string, found 'A'"),
    ("blob", "AA=", "expected bytes as a base64 string, found 'AA='"),
    ("blob", "_/8=", "expected bytes as a base64 string, found '_/8='"),
    ("time", "now", "expected a time as a string such as '2026-11-20T14:50:00Z', found 'now'"),
    ("color", "GREEN", "expected one of RED, LIGHT_BLUE, INTERNAL, found 'GREEN'"),
    ("color", "RAD", "expected one of RED, LIGHT_BLUE, INTERNAL, found 'RAD'; did you mean 'RED'?"),
    ("leaf", "{}", "an object cannot be given as a text"),
    ("smal", "1", "there is no field 'smal'; did you mean 'small'?"),
  ])
  func `a wrong text is named`(name: String, text: String, problem: String) {
    #expect(everything.problems("", texts: [(name, text)]).first == "/\(name) \(problem)")
  }

  @Test func `all mistakes are reported at once, each with its pointer`() {
    let json = #"""
      {"flag":1,"small":1.5,"big":"7","smallUnsigned":-1,"bigUnsigned":18446744073709551616,"ratio":2,"name":null,
      "blob":"A","id":"x","time":7,"color":"BLUE","leaf":[],"maybeSmall":9,"maybeName":"rub","flags":[true,null],
      "numbers":{},"leaves":[{},{"text":"","childrn":[]},{"children":[{"text":7}]}],"defalt":1,"small":2}
      """#
    #expect(
      everything.problems(json) == [
        "/flag expected true or false, found a number",
        "/small expected an integer, found 1.5",
        "/big expected an integer, found a string",
        "/smallUnsigned must be 0 to 4294967295, not -1",
        "/bigUnsigned must be 0 to 18446744073709551615, not 18446744073709551616",
        "/ratio must be 0 to 1, not 2.0",
        "/name expected a string, found null",
        "/blob expected bytes as a base64 string, found 'A'",
        "/id expected a UUID as a string, found 'x'",
        "/time expected a time as a string such as '2026-11-20T14:50:00Z', found a number",
        "/color expected one of RED, LIGHT_BLUE, INTERNAL, found 'BLUE'",
        "/leaf expected an object, found a list",
        "/maybeSmall must be 1 to 5, not 9",
        "/maybeName must match [A-Z]{3}",
        "/flags/1 expected true or false, found null",
        "/numbers expected a list, found an object",
        "/leaves/1/text must have 1 to 5 characters, not 0",
        "/leaves/1/childrn there is no field 'childrn'; did you mean 'children'?",
        "/leaves/2/children/0/text expected a string, found a number",
        "/defalt there is no field 'defalt'; did you mean 'default'?",
        "/small is given twice",
      ])
  }

  @Test func `what is missing is named with what it should be; lists may be missing`() {
    let missing = everything.problems(
      #"{"flag":true,"big":1,"smallUnsigned":1,"ratio":0,"name":"","time":null,"leaf":{}}"#)
    #expect(
      missing == [
        "/time expected a time as a string such as '2026-11-20T14:50:00Z', found null",
        "/small is missing; expected an integer",
        "/bigUnsigned is missing; expected an integer",
        "/blob is missing; expected bytes as a base64 string",
        "/id is missing; expected a UUID as a string",
        "/color is missing; expected one of RED, LIGHT_BLUE, INTERNAL",
      ])
    #expect(everything.problems("").count == 12)
    #expect(leaf.problems("") == [])
    #expect(leaf.problems(#"{"text":null}"#) == [])
  }

  @Test func `at most 32 mistakes are reported`() {
    let json = "{" + (0..<100).map { "\"x\($0)\":1" }.joined(separator: ",") + "}"
    #expect(leaf.problems(json).count == 32)
  }

  @Test func `an unknown name is escaped in its pointer and cut`() {
    #expect(leaf.problems(#"{"a/b~c":1}"#) == ["/a~1b~0c there is no field 'a/b~c'"])
    // An accent makes one character with what it stands on, and changes nothing.
    #expect(
      leaf.problems("{\"a/\u{301}~\u{301}\":1}") == ["/a~1\u{301}~0\u{301} there is no field 'a/\u{301}~\u{301}'"])
    let name = String(repeating: "ж", count: 1000)
    let shown = String(repeating: "ж", count: 64)
    #expect(leaf.problems("{\"\(name)\":1}") == ["/\(shown) there is no field '\(shown)'"])
  }

  @Test(arguments: [
    ("[]", " expected an object, found a list"), ("null", " expected an object, found null"),
    (" 7", " expected an object, found a number"),
  ])
  func `the body is an object`(json: String, problem: String) {
    #expect(leaf.problems(json) == [problem])
  }

  @Test func `names and texts may be escaped`() throws {
    let json = #"{"\u0074ext":"\u0416\ud83d\ude00\/\b"}"#
    #expect(try Leaf(decoding: try leaf.message(json)) == Leaf(text: "Ж\u{1F600}/\u{8}"))
    #expect(
      try FindLeafRequest(
        decoding: try find.message(#"{"id":"\u00300000000-0000-0000-0000-000000000000","color":"\u0052ED"}"#)
      ).color == .red)
  }

  @Test func `deep values are refused, wanted or not`() {
    func nested(_ depth: Int) -> String {
      String(repeating: #"{"children":["#, count: depth - 1) + "{}" + String(repeating: "]}", count: depth - 1)
    }
    #expect(leaf.problems(nested(16)) == [])
    #expect(leaf.problems(nested(17)).first?.contains("messages are nested too deep") == true)
    func lists(_ depth: Int) -> String {
      #"{"x":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
    }
    #expect(leaf.problems(lists(32)) == ["/x there is no field 'x'"])
    #expect(leaf.problems(lists(33)).last?.contains("values are nested too deep") == true)
    #expect(leaf.problems(lists(100_000)).last?.contains("values are nested too deep") == true)
  }

  @Test func `the elements of all lists share one budget`() {
    let elements = #"{"children":["# + Array(repeating: "{}", count: 65_536).joined(separator: ",")
    #expect(leaf.problems(elements + "]}") == [])
    #expect(leaf.problems(elements + ",{}]}").last?.contains("the lists have too many elements") == true)
  }

  @Test func `a message grows to its budget and no further`() {
    let json = "{\"children\":[" + Array(repeating: "{}", count: 10).joined(separator: ",") + "]}"
    let problems = leaf.problems(Array(json.utf8), budget: DecodingBudget(bytes: 100))
    #expect(problems.last?.contains("the request is larger than 100 bytes as a message") == true)
  }

  @Test func `every truncation of a body is refused`() {
    let json = Array(Everything.sampleJSON.utf8)
    for length in 1..<json.count {
      let problems = everything.problems(Array(json[..<length]))
      #expect(problems.count == 1 && problems[0].contains("not JSON"), "\(length) bytes")
    }
  }

  @Test(arguments: [1 as UInt64, 2])
  func `a body that somebody changed is refused or understood, never crashed on`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let json = Array(Everything.sampleJSON.utf8)
    let alphabet = Array("{}[]\",:\\0123456789-+.eEtrufalsn \u{0}é".utf8) + [0xFF, 0xC0]
    for _ in 0..<3_000 {
      var changed = json
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] = alphabet.randomElement(using: &random)!
      }
      guard let message = try? everything.message(changed) else { continue }
      _ = try Everything(decoding: message)
    }
  }
}
