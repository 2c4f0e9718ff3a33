internal import COpenSSL
internal import Glibc

/// A configuration with its files read: makes the engine of each connection.
///
/// TLS 1.2 is the least, ciphers and curves are the system's policy. There is no renegotiation and no resumption: our
/// connections live long.
// An `SSL_CTX` that is set up may be used by any thread; nothing here changes after `init`.
package final class TLSContext: @unchecked Sendable {
  let configuration: TLSConfiguration
  let pointer: OpaquePointer
  private let applicationProtocols: ApplicationProtocols

  /// Reads the files of `configuration`; the certificate must be in force at `unixSeconds`.
  ///
  /// - Throws: ``TLSError/Code/configuration``, naming the setting that must change.
  package init(_ configuration: TLSConfiguration, at unixSeconds: Int = time(nil)) throws(TLSError) {
    self.configuration = configuration
    applicationProtocols = try ApplicationProtocols(configuration.applicationProtocols)
    let method = configuration.role == .server ? TLS_server_method() : TLS_client_method()
    guard let context = SSL_CTX_new(method) else {
      throw TLSError(.configuration, "OpenSSL cannot start: \(OpenSSLErrors.take().text)")
    }
    pointer = context
    guard copenssl_require_tls12(context) == 1 else {
      throw TLSError(.configuration, "OpenSSL cannot speak TLS 1.2: \(OpenSSLErrors.take().text)")
    }
    copenssl_set_policy(context)
    SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }  // Never asks a terminal.
    if let identity = configuration.identity { try load(identity, at: unixSeconds) }
    if let authorities = configuration.authorities { try trust(authorities) }
    applicationProtocols.install(in: context, role: configuration.role)
  }

  deinit { SSL_CTX_free(pointer) }

  /// The engine of a new connection. A client says which server it means, by name or numeric address; the server's
  /// certificate must say so too, in its subjectAltName (RFC 9525).
  ///
  /// - Throws: ``TLSError/Code/configuration`` when no certificate can have that name.
  package func makeEngine(serverName: String? = nil) throws(TLSError) -> TLSEngine {
    try TLSEngine(context: self, serverName: serverName)
  }

  private func load(_ identity: TLSConfiguration.Identity, at unixSeconds: Int) throws(TLSError) {
    ERR_clear_error()
    guard SSL_CTX_use_certificate_chain_file(pointer, identity.certificate.path) == 1 else {
      throw Self.unusable(identity.certificate, lacks: "certificate", OpenSSLErrors.take())
    }
    guard SSL_CTX_use_PrivateKey_file(pointer, identity.key.path, SSL_FILETYPE_PEM) == 1 else {
      let errors = OpenSSLErrors.take()
      throw errors.isKeyOfAnother ? Self.mismatch(identity) : Self.unusable(identity.key, lacks: "private key", errors)
    }
    guard SSL_CTX_check_private_key(pointer) == 1 else {
      ERR_clear_error()
      throw Self.mismatch(identity)
    }
    guard let certificate = SSL_CTX_get0_certificate(pointer) else { return }
    if let problem = Self.validityProblem(certificate, at: unixSeconds) {
      throw TLSError(.configuration, "the certificate of \(identity.certificate) \(problem)")
    }
  }

  private func trust(_ authorities: TLSConfiguration.File) throws(TLSError) {
    ERR_clear_error()
    guard SSL_CTX_load_verify_file(pointer, authorities.path) == 1 else {
      throw Self.unusable(authorities, lacks: "certificate", OpenSSLErrors.take())
    }
    var mode = SSL_VERIFY_PEER
    if configuration.role == .server {
      mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT
      SSL_CTX_set_client_CA_list(pointer, SSL_load_client_CA_file(authorities.path))
    }
    SSL_CTX_set_verify(pointer, mode, nil)
  }

  private static func unusable(
    _ file: TLSConfiguration.File, lacks thing: String, _ errors: OpenSSLErrors
  ) -> TLSError {
    let problem =
      if let system = errors.system {
        "cannot be read: \(system)"
      } else if errors.isNothingFound {
        "holds no \(thing) in PEM"
      } else if errors.isPassphraseWanted {
        "is protected by a passphrase: give the key without one, readable by this program alone"
      } else {
        "cannot be used: \(errors.text)"
      }
    return TLSError(.configuration, "\(file) \(problem)")
  }

  private static func mismatch(_ identity: TLSConfiguration.Identity) -> TLSError {
    TLSError(.configuration, "\(identity.key) is not the key of the certificate of \(identity.certificate)")
  }

  private static func validityProblem(_ certificate: OpaquePointer, at unixSeconds: Int) -> String? {
    var time = unixSeconds
    if let end = X509_get0_notAfter(certificate), X509_cmp_time(end, &time) < 0 {
      return "expired on \(day(end)): renew it"
    }
    if let start = X509_get0_notBefore(certificate), X509_cmp_time(start, &time) > 0 {
      return "is not in force before \(day(start)): is the clock right?"
    }
    return nil
  }

  private static func day(_ instant: UnsafePointer<ASN1_TIME>) -> String {
    var date = tm()
    guard ASN1_TIME_to_tm(instant, &date) == 1 else { return "a day that cannot be read" }
    func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(1_900 + date.tm_year)-\(digits(date.tm_mon + 1))-\(digits(date.tm_mday))"
  }
}

extension TLSConfiguration.File: CustomStringConvertible {
  /// Such as `--rpc-tls-key (GOZON_RPC_TLS_KEY) "/etc/gozon/key.pem"`.
  package var description: String { "\(setting) \"\(path)\"" }
}
