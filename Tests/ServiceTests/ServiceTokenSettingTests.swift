import Testing

@testable import Service

@Suite struct ServiceTokenSettingTests {
  private static func configuration(
    _ token: String, host: String = "0.0.0.0",
    _ settings: [Setting] = RPCTLSSettings.server + [ServiceTokenSetting.server]
  ) throws(Configuration.Refusal) -> Configuration {
    try Configuration(
      usage: "usage", settings: settings + CommonSettings.all, arguments: ["--listen-host", host],
      environment: ["GOZON_SERVICE_TOKEN": token], check: CommonSettings.problems)
  }

  @Test func `a server that asks for a token may listen anywhere`() throws {
    #expect(ServiceTokenSetting.token(try Self.configuration("0123456789abcdef")) == "0123456789abcdef")
    #expect(throws: Configuration.Refusal.self) { try Self.configuration("") }
  }

  @Test func `a program that only presents a token may not: nobody presents one to it`() {
    #expect(throws: Configuration.Refusal.self) {
      try Self.configuration("0123456789abcdef", RPCTLSSettings.client + [ServiceTokenSetting.client])
    }
  }

  @Test func `a token that can be guessed is refused without being repeated`() {
    do throws(Configuration.Refusal) {
      _ = try Self.configuration("hunter2", host: "127.0.0.1")
      Issue.record("seven bytes were taken for a token")
    } catch {
      #expect(
        error == .mistakes(["--service-token (GOZON_SERVICE_TOKEN) must have 16 to 1024 bytes, not 7"]))
    }
  }
}
