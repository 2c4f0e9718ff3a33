import TLS
import TestSupport
import Testing

@testable import Service

@Suite struct RPCTLSSettingsTests {
  private static let log = Log(service: "test", level: .error)

  private static func server(_ arguments: [String]) throws(Configuration.Refusal) -> Configuration {
    try Configuration(
      usage: "usage", settings: RPCTLSSettings.server + CommonSettings.all, arguments: arguments, environment: [:],
      check: CommonSettings.problems)
  }

  private static func client(_ arguments: [String]) throws(Configuration.Refusal) -> Configuration {
    try Configuration(
      usage: "usage", settings: RPCTLSSettings.client, arguments: arguments, environment: [:],
      check: { [RPCTLSSettings.problem($0)].compactMap { $0 } })
  }

  private static func mistakes(_ body: () throws(Configuration.Refusal) -> Configuration) -> [String] {
    do throws(Configuration.Refusal) { _ = try body() } catch {
      if case .mistakes(let mistakes) = error { return mistakes }
    }
    return []
  }

  @Test func `without settings there is no TLS`() throws {
    #expect(
      try RPCTLSSettings.server(Self.server([]), applicationProtocol: "gozon/1", log: Self.log) == nil
        && RPCTLSSettings.client(Self.client([]), applicationProtocol: "gozon/1", log: Self.log) == nil)
  }

  @Test func `what belongs together must be given together`() {
    #expect(
      Self.mistakes { () throws(Configuration.Refusal) in try Self.server(["--rpc-tls-certificate", "c"]) } == [
        "--rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE) is set and --rpc-tls-key (GOZON_RPC_TLS_KEY) is not: "
          + "a certificate is of use only with its key"
      ])
    #expect(
      Self.mistakes { () throws(Configuration.Refusal) in try Self.client(["--rpc-tls-key", "k"]) } == [
        "--rpc-tls-key (GOZON_RPC_TLS_KEY) is set and --rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE) is not: "
          + "a key is of use only with its certificate"
      ])
    #expect(
      Self.mistakes { () throws(Configuration.Refusal) in try Self.server(["--rpc-tls-client-ca", "a"]) } == [
        "--rpc-tls-client-ca (GOZON_RPC_TLS_CLIENT_CA) is set and --rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE) "
          + "is not: a server that asks for certificates must have one itself"
      ])
    #expect(
      Self.mistakes { () throws(Configuration.Refusal) in
        try Self.client(["--rpc-tls-certificate", "c", "--rpc-tls-key", "k"])
      } == [
        "--rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE) is set and --rpc-tls-ca (GOZON_RPC_TLS_CA) is not: "
          + "a certificate is shown to servers of TLS only, and their authorities are needed"
      ])
  }

  @Test func `every mistake is named at once`() {
    let mistakes = Self.mistakes { () throws(Configuration.Refusal) in
      try Self.server(["--rpc-tls-certificate", "c", "--listen-host", "0.0.0.0"])
    }
    #expect(mistakes.count == 2, "\(mistakes)")
  }

  @Test func `a server that asks for certificates may listen beyond loopback, one with TLS alone may not`() {
    let tls = ["--rpc-tls-certificate", "c", "--rpc-tls-key", "k", "--listen-host", "0.0.0.0"]
    #expect(Self.mistakes { () throws(Configuration.Refusal) in try Self.server(tls) }.count == 1)
    #expect(
      Self.mistakes { () throws(Configuration.Refusal) in try Self.server(tls + ["--rpc-tls-client-ca", "a"]) } == [])
  }

  @Test func `a file that cannot be used is named with its setting`() throws {
    let configuration = try Self.server(["--rpc-tls-certificate", "/nowhere/c.pem", "--rpc-tls-key", "/nowhere/k.pem"])
    let error = #expect(throws: TLSError.self) {
      try RPCTLSSettings.server(configuration, applicationProtocol: "gozon/1", log: Self.log)
    }
    #expect(
      error?.message == "--rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE) \"/nowhere/c.pem\" cannot be read: "
        + "No such file or directory")
  }

  @Test func `settings that are right make contexts`() throws {
    let certificates = try TestCertificates()
    let identity = try certificates.issue("both")
    let own = ["--rpc-tls-certificate", identity.certificate.path, "--rpc-tls-key", identity.key.path]
    let server = try Self.server(own + ["--rpc-tls-client-ca", certificates.authority.path])
    let client = try Self.client(own + ["--rpc-tls-ca", certificates.authority.path])
    #expect(try RPCTLSSettings.server(server, applicationProtocol: "gozon/1", log: Self.log) != nil)
    #expect(try RPCTLSSettings.client(client, applicationProtocol: "gozon/1", log: Self.log) != nil)
  }
}
