internal import HTTP
package import TLS

/// The settings of TLS for the public HTTP port.
package enum HTTPTLSSettings {
  private static let identity = TLSIdentitySettings(
    certificate: Setting(
      "http-tls-certificate", .text, default: "",
      "The certificate chain (PEM) of the public HTTP port, which speaks HTTPS then."),
    key: Setting(
      "http-tls-key", .text, default: "", "The private key (PEM, without passphrase) of --http-tls-certificate."))

  /// What a program that answers HTTP has.
  package static let server = [identity.certificate, identity.key]

  /// What contradicts each other in the settings that the program has; nil when nothing does.
  static func problem(_ configuration: Configuration) -> String? {
    do throws(TLSError) { _ = try identity.identity(configuration.text) } catch { return error.message }
    return nil
  }

  /// The TLS of the server; nil when it has none.
  ///
  /// - Throws: ``TLSError``, naming the setting that must change.
  package static func server(_ configuration: Configuration, log: Log) throws(TLSError) -> TLSContextSource? {
    guard let identity = try identity.identity(configuration.text) else { return nil }
    return try .following(
      .server(identity: identity, applicationProtocols: HTTPServer.applicationProtocols), log)
  }
}
