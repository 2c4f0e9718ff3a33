import Testing

@testable import Service

@Suite struct ListenPolicyTests {
  @Test(arguments: ["127.0.0.1", "localhost", "::1"])
  func `loopback needs no permission`(host: String) {
    #expect(ListenPolicy.problem(host: host, isAuthenticated: false, isInsecureListen: false) == nil)
  }

  @Test(arguments: ["0.0.0.0", "::", "10.0.0.1"])
  func `beyond it callers show certificates, or the operator says that they need not`(host: String) {
    #expect(ListenPolicy.problem(host: host, isAuthenticated: true, isInsecureListen: false) == nil)
    #expect(ListenPolicy.problem(host: host, isAuthenticated: false, isInsecureListen: true) == nil)
    let problem = ListenPolicy.problem(host: host, isAuthenticated: false, isInsecureListen: false)
    #expect(problem?.contains("--rpc-tls-client-ca") == true && problem?.contains("--insecure-listen") == true)
  }
}
