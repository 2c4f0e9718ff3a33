import Testing

@testable import Service

@Suite struct ConfigurationTests {
  private static let settings =
    [
      Setting.port("http-port", default: 8_080, "The port."),
      Setting("database-url", .text, default: nil, "The database."),
      Setting("level", .choice(["debug", "info"]), default: "info", "The level."),
      Setting("backends", .addresses, default: "127.0.0.1:7001", "The backends."),
      Setting("currency", .currency, default: "RUB", "The currency."),
    ] + CommonSettings.all

  private static func read(
    _ arguments: [String], _ environment: [String: String] = ["GOZON_DATABASE_URL": "db"], operandsMax: Int = 0
  ) throws(Configuration.Refusal) -> Configuration {
    try Configuration(
      usage: "usage", settings: settings, arguments: arguments, environment: environment, operandsMax: operandsMax,
      check: CommonSettings.problems)
  }

  private static func mistakes(
    _ arguments: [String], _ environment: [String: String] = ["GOZON_DATABASE_URL": "db"]
  ) -> [String] {
    do throws(Configuration.Refusal) { _ = try read(arguments, environment) } catch {
      if case .mistakes(let mistakes) = error { return mistakes }
    }
    return []
  }

  @Test func `a flag wins over its variable, and both over the default`() throws {
    #expect(try Self.read([]).integer("http-port") == 8_080)
    let environment = ["GOZON_DATABASE_URL": "db", "GOZON_HTTP_PORT": "1", "GOZON_LEVEL": ""]
    let read = try Self.read([], environment)
    #expect(read.integer("http-port") == 1 && read.text("level") == "info", "an empty variable is none")
    #expect(try Self.read(["--http-port", "2"], environment).integer("http-port") == 2)
    #expect(try Self.read(["--http-port=3"], environment).integer("http-port") == 3)
    #expect(try Self.read(["--database-url", "a=b"], [:]).text("database-url") == "a=b")
    #expect(try Self.read(["--database-url=a=b"], [:]).text("database-url") == "a=b")
  }

  @Test func `a flag without a value is set, and may be taken back`() throws {
    #expect(try !Self.read([]).flag("insecure-listen"))
    #expect(try Self.read(["--insecure-listen"]).flag("insecure-listen"))
    #expect(try !Self.read(["--insecure-listen=false"]).flag("insecure-listen"))
    for (value, isSet) in [("1", true), ("true", true), ("0", false), ("false", false)] {
      let read = try Self.read([], ["GOZON_DATABASE_URL": "db", "GOZON_INSECURE_LISTEN": value])
      #expect(read.flag("insecure-listen") == isSet)
    }
  }

  @Test func `every mistake is named at once, with what would be right`() {
    let mistakes = Self.mistakes(
      [
        "--http-port", "65536", "--levle=info", "operand", "--level", "loud", "--listen-host", "0.0.0.0",
        "--log-format",
      ],
      ["GOZON_BACKENDS": "a:1,b", "GOZON_CURRENCY": "rub", "GOZON_INSECURE_LISTEN": "yes"])
    let expected = [
      "--log-format needs a value: Text on a terminal, JSON elsewhere.",
      "unknown flag --levle; --help lists all",
      "--http-port (GOZON_HTTP_PORT) must be a whole number from 0 to 65535, not \"65536\"",
      "--database-url (GOZON_DATABASE_URL) is required: The database.",
      "--level (GOZON_LEVEL) must be one of debug, info, not \"loud\"",
      "--backends (GOZON_BACKENDS) must be host:port, or several separated by commas, not \"a:1,b\"",
      "--currency (GOZON_CURRENCY) must be a currency of ISO 4217, such as RUB, not \"rub\"",
      "--insecure-listen (GOZON_INSECURE_LISTEN) must be true or false, not \"yes\"",
      "unexpected argument \"operand\"",
    ]
    for line in expected { #expect(mistakes.contains(line), "\(line)") }
    #expect(mistakes.count == expected.count + 1)
    #expect(mistakes.last?.hasPrefix("--listen-host 0.0.0.0 is reachable from other machines") == true)
  }

  @Test func `a required setting must not be empty`() {
    #expect(Self.mistakes(["--database-url", ""], [:]).count == 1)
  }

  @Test func `what is beyond the range of numbers is no number`() {
    for value in ["99999999999999999999", "-1", "1.5", "0x10", "", "٣"] {
      #expect(Self.mistakes(["--http-port", value]).count == 1, "\(value)")
    }
  }

  @Test(arguments: [
    ("127.0.0.1", false, true), ("localhost", false, true), ("::1", false, true), ("0.0.0.0", false, false),
    ("::", false, false), ("10.0.0.1", false, false), ("0.0.0.0", true, true),
  ])
  func `nothing listens beyond loopback unasked`(host: String, isAsked: Bool, isAllowed: Bool) {
    let mistakes = Self.mistakes(["--listen-host", host] + (isAsked ? ["--insecure-listen"] : []))
    #expect(mistakes.isEmpty == isAllowed, "\(mistakes)")
  }

  @Test func `help lists every setting with its variable and default, whatever else is wrong`() throws {
    let refusal = #expect(throws: Configuration.Refusal.self) { try Self.read(["--nonsense", "--help"], [:]) }
    guard case .help(let text) = refusal else { return }
    #expect(text.hasPrefix("usage\n"))
    for setting in Self.settings {
      #expect(text.contains("--\(setting.name)") && text.contains(setting.variable) && text.contains(setting.help))
    }
    #expect(text.contains("--http-port VALUE   (GOZON_HTTP_PORT; default: 8080)"))
    #expect(text.contains("(GOZON_DATABASE_URL; required)") && text.contains("(GOZON_PORTS_FILE; default: none)"))
    #expect(throws: Configuration.Refusal.help(text)) { try Self.read(["-h"]) }
  }

  @Test func `arguments that are no flags are kept in order, as many as are wanted`() throws {
    #expect(try Self.read(["a", "--level", "debug", "b"], operandsMax: 2).operands == ["a", "b"])
    #expect(throws: Configuration.Refusal.mistakes(["unexpected argument \"b\", \"c\""])) {
      try Self.read(["a", "b", "c"], operandsMax: 1)
    }
  }
}
