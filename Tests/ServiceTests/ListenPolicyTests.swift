import Testing

@testable import Service

@Suite struct ListenPolicyTests {
  @Test(arguments: ["127.0.0.1", "localhost", "::1"])
  func `loopback needs no permission`(host: String) {
    #expect(ListenPolicy.problem(host: host, of: .services, isAuthenticated: false, isInsecureListen: false) == nil)
  }

  @Test(arguments: ["0.0.0.0", "::", "10.0.0.1"])
  func `beyond it callers show certificates, or the operator says that they need not`(host: String) {
    #expect(ListenPolicy.problem(host: host, of: .services, isAuthenticated: true, isInsecureListen: false) == nil)
    #expect(ListenPolicy.problem(host: host, of: .services, isAuthenticated: false, isInsecureListen: true) == nil)
    let problem = ListenPolicy.problem(host: host, of: .services, isAuthenticated: false, isInsecureListen: false)
    #expect(problem?.contains("--rpc-tls-client-ca") == true && problem?.contains("--insecure-listen") == true)
  }

  @Test(arguments: ["0.0.0.0", "::", "10.0.0.1"])
  func `beyond it users bear tokens, or the operator says that they need not`(host: String) {
    let problem = { (isAuthenticated: Bool, isInsecureListen: Bool) in
      ListenPolicy.problem(
        host: host, of: .users, isAuthenticated: isAuthenticated, isInsecureListen: isInsecureListen)
    }
    #expect(problem(true, false) == nil && problem(false, true) == nil)
    #expect(problem(false, false)?.contains("--auth-jwks (GOZON_AUTH_JWKS)") == true)
    #expect(problem(false, false)?.contains("--insecure-listen") == true)
  }
}
