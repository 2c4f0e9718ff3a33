/// Who may reach a program from other machines: nobody, unless callers prove who they are, or the operator says so.
package enum ListenPolicy {
  /// Why the program must not listen on `host`; nil when it may.
  ///
  /// Callers of RPC are authenticated by mutual TLS or by a service token. TLS alone is not enough: it hides what is
  /// said, and lets anybody say it.
  package static func problem(host: String, isAuthenticated: Bool, isInsecureListen: Bool) -> String? {
    if Address.isLoopback(host) || isAuthenticated || isInsecureListen { return nil }
    return "--listen-host \(host) is reachable from other machines, and there is no authentication: listen on "
      + "127.0.0.1, ask RPC's callers for certificates by --rpc-tls-client-ca (GOZON_RPC_TLS_CLIENT_CA) "
      + "or for a token by GOZON_SERVICE_TOKEN, or set --insecure-listen (GOZON_INSECURE_LISTEN=1) on a private network that you trust"
  }
}
