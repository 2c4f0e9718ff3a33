package import TLS

/// The settings of TLS for RPC: what they are, and what they mean together.
package enum RPCTLSSettings {
  private static let certificate = Setting(
    "rpc-tls-certificate", .text, default: "", "The certificate chain (PEM) that is shown to RPC's peers.")
  private static let key = Setting(
    "rpc-tls-key", .text, default: "", "The private key (PEM, without passphrase) of --rpc-tls-certificate.")
  private static let clientAuthorities = Setting(
    "rpc-tls-client-ca", .text, default: "",
    "The authorities (PEM) of RPC's clients: every client must show a certificate of theirs (mutual TLS).")
  private static let serverAuthorities = Setting(
    "rpc-tls-ca", .text, default: "",
    "The authorities (PEM) of the RPC servers that are called: they are called by TLS then.")

  private static let identitySettings = TLSIdentitySettings(certificate: certificate, key: key)

  /// What a program that answers RPC has.
  package static let server = [certificate, key, clientAuthorities]
  /// What a program that calls by RPC has.
  package static let client = [serverAuthorities, certificate, key]

  /// What contradicts each other in the settings that the program has; nil when nothing does.
  package static func problem(_ configuration: Configuration) -> String? {
    do throws(TLSError) {
      if configuration.has(clientAuthorities.name) {
        _ = try serverConfiguration(configuration.text, applicationProtocol: "")
      }
      if configuration.has(serverAuthorities.name) {
        _ = try clientConfiguration(configuration.text, applicationProtocol: "")
      }
    } catch {
      return error.message
    }
    return nil
  }

  /// Whether the program answers RPC, and its callers prove who they are, by a certificate or a service token.
  static func isAuthenticated(_ configuration: Configuration) -> Bool {
    guard configuration.has(clientAuthorities.name) else { return false }
    return !configuration.text(clientAuthorities.name).isEmpty || ServiceTokenSetting.token(configuration) != nil
  }

  /// The TLS of a server; nil when it has none.
  ///
  /// - Throws: ``TLSError``, naming the setting that must change.
  package static func server(
    _ configuration: Configuration, applicationProtocol: String, log: Log
  ) throws(TLSError) -> TLSContextSource? {
    try serverConfiguration(configuration.text, applicationProtocol: applicationProtocol)
      .map { settings throws(TLSError) in try .following(settings, log) }
  }

  /// The TLS of a client; nil when it has none.
  ///
  /// - Throws: ``TLSError``, naming the setting that must change.
  package static func client(
    _ configuration: Configuration, applicationProtocol: String, log: Log
  ) throws(TLSError) -> TLSContextSource? {
    try clientConfiguration(configuration.text, applicationProtocol: applicationProtocol)
      .map { settings throws(TLSError) in try .following(settings, log) }
  }

  /// What a client does by the values of its settings, which are empty where none is given; nil for plaintext.
  package static func clientConfiguration(
    _ value: (String) -> String, applicationProtocol: String
  ) throws(TLSError) -> TLSConfiguration? {
    let identity = try identitySettings.identity(value)
    guard let authorities = serverAuthorities.file(value) else {
      if identity == nil { return nil }
      throw .contradiction(
        certificate, serverAuthorities,
        "a certificate is shown to servers of TLS only, and their authorities are needed")
    }
    return .client(serverAuthorities: authorities, identity: identity, applicationProtocols: [applicationProtocol])
  }

  private static func serverConfiguration(
    _ value: (String) -> String, applicationProtocol: String
  ) throws(TLSError) -> TLSConfiguration? {
    let authorities = clientAuthorities.file(value)
    guard let identity = try identitySettings.identity(value) else {
      if authorities == nil { return nil }
      throw .contradiction(clientAuthorities, certificate, "a server that asks for certificates must have one itself")
    }
    return .server(identity: identity, clientAuthorities: authorities, applicationProtocols: [applicationProtocol])
  }
}
