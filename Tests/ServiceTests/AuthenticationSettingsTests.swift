import Testing

@testable import Service

@Suite struct AuthenticationSettingsTests {
  private static func mistakes(_ arguments: String...) -> [String] {
    do throws(Configuration.Refusal) {
      _ = try Configuration(
        usage: "", settings: AuthenticationSettings.all + RPCTLSSettings.client + CommonSettings.all,
        arguments: arguments, environment: [:], check: CommonSettings.problems)
      return []
    } catch {
      guard case .mistakes(let mistakes) = error else { return ["help"] }
      return mistakes
    }
  }

  @Test func `a gateway that asks for tokens may listen anywhere`() {
    #expect(Self.mistakes("--listen-host", "0.0.0.0", "--auth-jwks", "keys.json").isEmpty)
    #expect(Self.mistakes("--listen-host", "127.0.0.1").isEmpty)
    #expect(Self.mistakes("--listen-host", "0.0.0.0", "--insecure-listen").isEmpty)
    let refused = Self.mistakes("--listen-host", "0.0.0.0")
    #expect(refused.count == 1 && refused[0].contains("set --insecure-listen") && refused[0].contains("--auth-jwks"))
  }

  @Test func `what a token must say is of no use where none is asked for`() {
    for flag in ["--auth-issuer", "--auth-audience"] {
      let mistakes = Self.mistakes(flag, "x")
      #expect(mistakes.count == 1 && mistakes[0].hasPrefix(flag) && mistakes[0].contains("--auth-jwks"))
    }
    #expect(Self.mistakes("--auth-jwks", "k", "--auth-issuer", "i", "--auth-audience", "a").isEmpty)
  }
}
