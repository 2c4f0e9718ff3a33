import TLS
import TestSupport
import Testing

@testable import ClientTool

@Suite struct TLSTests {
  private let certificates: TestCertificates
  private let server: TLSContextSource
  private let identity: TLSConfiguration.Identity

  init() throws {
    certificates = try TestCertificates()
    identity = try certificates.issue("both")
    server = try TLSContextSource(
      .server(
        identity: identity, clientAuthorities: certificates.authority, applicationProtocols: ["gozon/1"]))
  }

  @Test func `a service is called by mutual TLS, by options or by variables`() async throws {
    let (authority, certificate, key) = (certificates.authority.path, identity.certificate.path, identity.key.path)
    try await withServer(tls: server) { environment in
      let run = await gozon(
        "health", "--rpc-tls-ca", authority, "--rpc-tls-certificate", certificate, "--rpc-tls-key", key,
        environment: environment)
      #expect(run.status == 0, "\(run)")
      let variables = [
        "GOZON_RPC_TLS_CA": authority, "GOZON_RPC_TLS_CERTIFICATE": certificate, "GOZON_RPC_TLS_KEY": key,
      ]
      let list = await gozon("list", environment: environment.merging(variables) { $1 })
      #expect(list.status == 0 && list.lines.count == 7, "\(list)")
    }
  }

  @Test func `a call that cannot be made by TLS names the options that would mend it`() async throws {
    let authority = certificates.authority.path
    try await withServer(tls: server) { environment in
      let plain = await gozon("list", environment: environment)
      #expect(plain.status == 78 && plain.errors.contains("set --rpc-tls-ca (GOZON_RPC_TLS_CA)"), "\(plain)")
      let nameless = await gozon("list", "--rpc-tls-ca", authority, environment: environment)
      #expect(nameless.status == 78 && nameless.errors.contains("set --rpc-tls-certificate"), "\(nameless)")
    }
    try await withServer { environment in
      let run = await gozon("list", "--rpc-tls-ca", authority, environment: environment)
      #expect(run.status == 78 && run.errors.contains("does not speak TLS: unset --rpc-tls-ca"), "\(run)")
    }
  }

  @Test func `options that cannot be used are refused before anything is called`() async {
    let missing = await gozon("list", "--rpc-tls-ca", "/nowhere/ca.pem")
    #expect(missing.status == 2 && missing.errors.contains("\"/nowhere/ca.pem\" cannot be read"), "\(missing)")
    let half = await gozon("list", "--rpc-tls-certificate", "c.pem")
    #expect(half.status == 2 && half.errors.contains("--rpc-tls-key (GOZON_RPC_TLS_KEY) is not"), "\(half)")
  }
}
