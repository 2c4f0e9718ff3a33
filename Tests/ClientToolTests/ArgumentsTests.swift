import Service
import Testing

@testable import ClientTool

@Suite struct ArgumentsTests {
  private static let syntax = CommandSyntax(
    name: "fry", summary: "Fries.",
    operands: [.init(name: "WHAT", help: "What."), .init(name: "HOW", isOptional: true, help: "How.")],
    options: [
      .init(name: "json", help: "JSON."), .init(name: "limit", value: "N", defaultValue: "20", help: "Most."),
      .init(name: "spice", value: "NAME", isRepeatable: true, help: "Spice."),
      .init(name: "pans", value: "HOST:PORT", variable: "GOZON_PANS", help: "Pans."),
    ])

  private static func parse(_ words: String..., environment: [String: String] = [:]) throws(UsageError) -> Arguments {
    try Arguments(words, of: syntax, environment: environment)
  }

  private static func mistake(_ words: String...) -> String? {
    do throws(UsageError) {
      _ = try Arguments(words, of: syntax)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `options stand anywhere, with a space or an equals sign`() throws {
    let arguments = try Self.parse("--limit", "5", "egg", "--json", "--spice=salt", "well", "--spice", "a=b")
    #expect(arguments.operands == ["egg", "well"])
    #expect(try arguments.integer("limit", in: 1...10) == 5)
    #expect(arguments.flag("json") && arguments.all("spice") == ["salt", "a=b"])
  }

  @Test func `a value may be negative, and a single dash is a word`() throws {
    let arguments = try Self.parse("-", "--limit", "-7")
    #expect(arguments.operand(0) == "-" && arguments.operand(1) == nil)
    #expect(try arguments.integer("limit", in: -10...10) == -7)
  }

  @Test func `behind two dashes everything is a word`() throws {
    #expect(try Self.parse("--", "--json").operands == ["--json"])
  }

  @Test func `what is missing comes from the environment, then from the default`() throws {
    let environment = ["GOZON_PANS": "pan:1"]
    #expect(try Self.parse("egg", environment: environment).text("pans") == "pan:1")
    #expect(try Self.parse("egg", "--pans", "pot:2", environment: environment).text("pans") == "pot:2")
    #expect(try Self.parse("egg", environment: ["GOZON_PANS": ""]).text("pans") == nil)
    #expect(try Self.parse("egg").text("limit") == "20")
    #expect(try Self.parse("egg").flag("json") == false)
  }

  @Test func `help is wanted however wrong the rest is`() throws {
    #expect(try Self.parse("--help").isHelpWanted)
    #expect(try Self.parse("egg", "-h", "a", "b", "c").isHelpWanted)
  }

  @Test func `an unknown option is named with the one that was meant`() {
    #expect(Self.mistake("egg", "--jsn") == "'fry' has no option --jsn; did you mean '--json'?")
    #expect(Self.mistake("egg", "-x") == "'fry' has no option -x")
  }

  @Test func `wrong numbers of things are named`() {
    #expect(Self.mistake() == "WHAT is missing; usage: gozon fry WHAT [HOW] [options]")
    #expect(Self.mistake("a", "b", "c")?.hasPrefix("unexpected argument 'c'") == true)
    #expect(Self.mistake("egg", "--limit") == "--limit needs a value: --limit N")
    #expect(Self.mistake("egg", "--json=1") == "--json takes no value")
    #expect(Self.mistake("egg", "--limit", "1", "--limit", "2") == "--limit is given twice")
  }

  @Test func `values that are no numbers, times or addresses are refused`() throws {
    let arguments = try Self.parse("egg", "--limit", "many", "--pans", "nowhere")
    #expect(throws: UsageError("--limit must be a whole number from 1 to 9, not 'many'")) {
      try arguments.integer("limit", in: 1...9)
    }
    #expect(throws: UsageError.self) { try arguments.addresses("pans") }
    #expect(throws: UsageError.self) { try arguments.duration("limit") }
    #expect(try Self.parse("egg", "--pans", "a:1,[::1]:2").addresses("pans").map(\.description) == ["a:1", "[::1]:2"])
  }

  @Test(arguments: [
    ("10s", Duration.seconds(10)), ("250ms", .milliseconds(250)), ("1.5s", .milliseconds(1_500)), ("2m", .seconds(120)),
    ("1h", .seconds(3_600)), ("3", .seconds(3)),
  ])
  func `a time has a unit, or is in seconds`(text: String, duration: Duration) {
    #expect(Duration(argument: text) == duration)
  }

  @Test(arguments: ["", "s", "-1s", "1d", "ten", "nan", "inf", "1e300s", "25h", "0x1s "])
  func `what is no time is none`(text: String) {
    #expect(Duration(argument: text) == nil)
  }
}
