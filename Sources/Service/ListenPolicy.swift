/// Who may reach a program from other machines: nobody, unless callers prove who they are, or the operator says so.
package enum ListenPolicy {
  /// How a program can know its callers.
  package enum Callers: Sendable {
    /// Services and tools, by RPC. They show certificates (mutual TLS) or a service token. TLS alone is not enough: it
    /// hides what is said, and lets anybody say it.
    case services
    /// Users, by HTTP: they bear tokens.
    case users
  }

  /// Why the program must not listen on `host`; nil when it may.
  package static func problem(
    host: String, of callers: Callers, isAuthenticated: Bool, isInsecureListen: Bool
  ) -> String? {
    if Address.isLoopback(host) || isAuthenticated || isInsecureListen { return nil }
    let remedy =
      switch callers {
      case .services:
        "ask RPC's callers for certificates by --rpc-tls-client-ca (GOZON_RPC_TLS_CLIENT_CA) or for a token by "
          + "GOZON_SERVICE_TOKEN"
      case .users:
        "ask HTTP's callers for tokens by \(AuthenticationSettings.keys.flagAndVariable), whose keys 'gozon token keygen' "
          + "can make"
      }
    return "--listen-host \(host) is reachable from other machines, and there is no authentication: listen on "
      + "127.0.0.1, \(remedy), or set --insecure-listen (GOZON_INSECURE_LISTEN=1) on a private network that you trust"
  }
}
