import Schema
import Testing

/// RFC 8259 to the letter.
@Suite("JSON syntax")
struct JSONSyntaxTests {
  private let leaf = try! JSONFixture("gozon.test.shared.Leaf")

  /// The values stand where nobody wants them, so only their syntax counts.
  @Test(arguments: [
    "0", "-0", "10", "1.0", "-1.5e10", "1E+2", "1e-2", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
    "\"\\ud83d\\ude00\"", "\"é\u{7f}\"", "true", "false", "null", "[]", "[ ]", "[1,[2],{}]", "{}", "{ }",
    "{\"a\":{\"b\":[null]}}", "123456789012345678901234567890",
  ])
  func `what is JSON is accepted`(value: String) {
    #expect(leaf.problems("{\"x\":\(value)}") == ["/x there is no field 'x'"])
  }

  @Test(arguments: [
    "", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "1_000", "NaN", "Infinity", "-Infinity", "True", "tru", "nul",
    "truex", "'a'", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
    "\"\\ud800x\"", "\"a\nb\"", "\"\t\"", "[1,]", "[,1]", "[1 2]", "[1", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}",
    "{\"a\":1 \"b\":2}", "{1:2}", "1//c", "/*c*/1", "1}", "\u{feff}1", "\u{a0}1",
  ])
  func `what is not JSON is refused`(value: String) {
    let problems = leaf.problems("{\"x\":\(value)}")
    #expect(problems.last?.contains("not JSON: ") == true, "\(problems)")
  }

  @Test(arguments: [
    ("{\"text\":\"a\" \"b\"}", "not JSON: ',' or '}' is expected at line 1, column 13 (byte 12)"),
    ("{\n  \"é\": tru\n}", "not JSON: 'true' is expected at line 2, column 8 (byte 10)"),
    ("{} {}", "not JSON: nothing is expected behind the value at line 1, column 4 (byte 3)"),
    (" ", "not JSON: a value is missing at line 1, column 2 (byte 1)"),
    ("{\"text\":\"\\ud800\"}", "not JSON: half of a surrogate pair stands alone at line 1, column 10 (byte 9)"),
    ("{", "not JSON: a name in quotes is expected at line 1, column 2 (byte 1)"),
  ])
  func `a mistake is named with its line, column and byte`(json: String, problem: String) {
    #expect(leaf.problems(json).last == " " + problem)
  }

  @Test(arguments: [[0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xFF], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]] as [[UInt8]])
  func `invalid UTF-8 is refused wherever it stands`(bytes: [UInt8]) {
    let json = Array("{\"text\":\"".utf8) + bytes + Array("\"}".utf8)
    #expect(leaf.problems(json) == [" not JSON: the text is not valid UTF-8 at line 1, column 10 (byte 9)"])
  }
}
