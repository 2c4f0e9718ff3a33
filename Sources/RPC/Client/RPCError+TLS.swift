internal import TLS

extension RPCError {
  /// What ended TLS with the server at `address`, and which setting would mend it.
  init(_ error: TLSError, from address: String) {
    switch error.code {
    case .notTLS:
      self.init(
        .unavailable,
        "the server at \(address) does not speak TLS: unset --rpc-tls-ca (GOZON_RPC_TLS_CA) here, or give the server a "
          + "certificate by --rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE)", reason: Self.tlsReason)
    case .certificateRefused:
      self.init(
        .unavailable,
        "the server at \(address) is not trusted: \(error.message); --rpc-tls-ca (GOZON_RPC_TLS_CA) must hold the "
          + "authority that issued it, and it must be for the host that is called", reason: Self.tlsReason)
    case .certificateRequired:
      self.init(
        .unavailable,
        "the server at \(address) asks its clients for a certificate: set --rpc-tls-certificate "
          + "(GOZON_RPC_TLS_CERTIFICATE) and --rpc-tls-key (GOZON_RPC_TLS_KEY)", reason: Self.tlsReason)
    case .alert:
      self.init(
        .unavailable,
        "the server at \(address) refused TLS: \(error.message); the certificate of --rpc-tls-certificate "
          + "(GOZON_RPC_TLS_CERTIFICATE) must be of an authority of its --rpc-tls-client-ca", reason: Self.tlsReason)
    case .configuration, .protocolViolation, .truncated, .timedOut:
      self.init(
        .unavailable, "the connection to \(address) was lost: \(error.message)", reason: "CONNECTION_LOST")
    }
  }

  private static let tlsReason = "TLS_REFUSED"
}
