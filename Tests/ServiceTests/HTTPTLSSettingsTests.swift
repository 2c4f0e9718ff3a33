import TLS
import TestSupport
import Testing

@testable import Service

@Suite struct HTTPTLSSettingsTests {
  private static let log = Log(service: "test", level: .error)

  private static func configuration(_ arguments: [String]) throws(Configuration.Refusal) -> Configuration {
    try Configuration(
      usage: "usage", settings: HTTPTLSSettings.server + CommonSettings.all, arguments: arguments, environment: [:],
      check: CommonSettings.problems)
  }

  @Test func `without settings there is no TLS`() throws {
    #expect(try HTTPTLSSettings.server(Self.configuration([]), log: Self.log) == nil)
  }

  @Test func `a certificate and its key are given together`() {
    #expect(
      throws: Configuration.Refusal.mistakes([
        "--http-tls-certificate (GOZON_HTTP_TLS_CERTIFICATE) is set and --http-tls-key (GOZON_HTTP_TLS_KEY) is not: "
          + "a certificate is of use only with its key"
      ])
    ) { try Self.configuration(["--http-tls-certificate", "c"]) }
  }

  @Test func `files that cannot be used are named by their setting`() throws {
    let certificates = try TestCertificates()
    let (one, other) = (try certificates.issue("one"), try certificates.issue("other"))
    let good = try Self.configuration([
      "--http-tls-certificate", one.certificate.path, "--http-tls-key", one.key.path,
    ])
    #expect(try HTTPTLSSettings.server(good, log: Self.log) != nil)
    let mixed = try Self.configuration([
      "--http-tls-certificate", one.certificate.path, "--http-tls-key", other.key.path,
    ])
    #expect {
      try HTTPTLSSettings.server(mixed, log: Self.log)
    } throws: {
      ($0 as? TLSError)?.message.hasPrefix("--http-tls-key (GOZON_HTTP_TLS_KEY) ") == true
    }
  }
}
