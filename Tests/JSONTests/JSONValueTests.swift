import Testing

@testable import JSON

@Suite struct JSONValueTests {
  private func parse(_ text: String) throws -> JSONValue { try parse(Array(text.utf8)) }
  private func parse(_ text: [UInt8]) throws -> JSONValue { try JSONValue(parsing: text.span) }

  @Test func `a document is read and written back`() throws {
    let text = #"{"stream":"ORDERS","seq":18,"ok":true,"no":false,"none":null,"list":[1,-2,0.5,"x",[],{}]}"#
    let value = try parse(text)
    #expect(value["stream"]?.string == "ORDERS")
    #expect(value["seq"]?.integer == 18)
    #expect(value["ok"]?.bool == true)
    #expect(value["list"]?.array?.count == 6)
    #expect(value["absent"] == nil)
    #expect(value.description == text)
  }

  @Test func `the largest number of 64 bits is written exactly`() {
    #expect(JSONValue.array([.unsigned(.max), .unsigned(1)]).description == "[18446744073709551615,1]")
  }

  @Test func `spaces are allowed everywhere between`() throws {
    #expect(try parse(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n") == ["a": [1, 2], "b": [:]])
  }

  @Test(arguments: [
    ("0", JSONValue.integer(0)), ("-0", .integer(0)), ("-1", .integer(-1)),
    ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
    ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("18446744073709551615", .number(0x1p64)),
    ("-9223372036854775809", .number(-0x1p63)), ("100000000000000000000", .number(1e20)),
    ("1.5", .number(1.5)), ("1e3", .number(1000)), ("-2.5E-1", .number(-0.25)), ("1E+2", .number(100)),
  ])
  func `numbers`(text: String, value: JSONValue) throws {
    #expect(try parse(text) == value)
  }

  @Test(arguments: [
    (#""""#, ""), (#""a\"b\\c\/d\b\f\n\r\te""#, "a\"b\\c/d\u{8}\u{c}\n\r\te"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
    (#""\ud83d\ude00""#, "😀"), ("\"é😀\"", "é😀"), (#""\u0000""#, "\u{0}"),
  ])
  func `strings`(text: String, value: String) throws {
    #expect(try parse(text) == .string(value))
    #expect(try parse(JSONValue.string(value).description) == .string(value))
  }

  @Test(arguments: [
    "", " ", "tru", "nul", "falsy", "01", "-", "+1", ".5", "1.", "1e", "1e+", "1e999", "--1", "0x1", "NaN",
    "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"",
    "\"\\udc00\"", "\"\n\"", "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
    "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{1:1}", "1 1", "{}x", "\u{feff}1",
  ])
  func `what is not JSON is refused`(text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func `every truncation is refused`() throws {
    let text = Array(#"{"config":{"name":"A\u00e9","max":-1.5e3,"on":true,"off":false,"nil":null,"l":["x",1]}}"#.utf8)
    _ = try parse(text)
    for count in 0..<text.count {
      #expect(throws: JSONError.self) { try parse(Array(text[..<count])) }
    }
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    #expect(throws: JSONError.self) { try parse([0x22, 0xC3, 0x28, 0x22]) }
    #expect(throws: JSONError.self) { try parse([0x22, 0x5C, 0x6E, 0xFF, 0x22]) }
  }

  @Test func `nesting is bounded`() throws {
    let deepest = JSONValue.depthMax
    _ = try parse(String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
    #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: deepest + 1)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
    #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func `the length is bounded`() {
    let long = [UInt8](repeating: 0x20, count: JSONValue.bytesMax + 1)
    #expect(throws: JSONError.self) { try parse(long) }
  }
}
