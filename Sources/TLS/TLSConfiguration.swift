/// What one side of TLS shows of itself, and what it wants to see of the other.
package struct TLSConfiguration: Sendable, Equatable {
  /// A file in PEM, and what it was named by, so that an error can say what to change.
  package struct File: Sendable, Hashable {
    /// Where it is.
    package let path: String
    /// The setting that names it, such as `--rpc-tls-key (GOZON_RPC_TLS_KEY)`.
    package let setting: String

    /// The file at `path`, which `setting` names.
    package init(path: String, setting: String) {
      self.path = path
      self.setting = setting
    }
  }

  /// A certificate and its key.
  package struct Identity: Sendable, Hashable {
    /// The certificate, then those that lead from it towards the authority.
    package let certificate: File
    /// The private key, without a passphrase.
    package let key: File

    /// The identity that these files hold.
    package init(certificate: File, key: File) {
      self.certificate = certificate
      self.key = key
    }
  }

  enum Role { case server, client }

  let role: Role
  let identity: Identity?
  /// The authorities of the peer's certificate; nil when a server asks for none.
  let authorities: File?
  let applicationProtocols: [String]

  /// A server; with `clientAuthorities` every client must show a certificate of theirs (mutual TLS).
  ///
  /// Of the `applicationProtocols` (ALPN, RFC 7301) the first that the client offers is chosen; a client that offers only
  /// others is refused, and one that offers none is not.
  package static func server(
    identity: Identity, clientAuthorities: File? = nil, applicationProtocols: [String] = []
  ) -> TLSConfiguration {
    TLSConfiguration(
      role: .server, identity: identity, authorities: clientAuthorities, applicationProtocols: applicationProtocols)
  }

  /// A client of servers whose certificates `serverAuthorities` issued; `identity` is for servers that want one.
  package static func client(
    serverAuthorities: File, identity: Identity? = nil, applicationProtocols: [String] = []
  ) -> TLSConfiguration {
    TLSConfiguration(
      role: .client, identity: identity, authorities: serverAuthorities, applicationProtocols: applicationProtocols)
  }

  /// The files that it names.
  var files: [File] { [identity?.certificate, identity?.key, authorities].compactMap { $0 } }
}
