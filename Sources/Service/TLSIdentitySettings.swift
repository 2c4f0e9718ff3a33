internal import TLS

/// Two settings that name a certificate and its key.
struct TLSIdentitySettings {
  let certificate: Setting
  let key: Setting

  /// The identity that their values name; nil when neither is given.
  ///
  /// - Throws: ``TLSError`` when only one is.
  func identity(_ value: (String) -> String) throws(TLSError) -> TLSConfiguration.Identity? {
    switch (certificate.file(value), key.file(value)) {
    case (let certificate?, let key?): return .init(certificate: certificate, key: key)
    case (nil, nil): return nil
    case (_?, nil): throw .contradiction(certificate, key, "a certificate is of use only with its key")
    case (nil, _?): throw .contradiction(key, certificate, "a key is of use only with its certificate")
    }
  }
}

extension Setting {
  /// How messages name it, such as `--rpc-tls-key (GOZON_RPC_TLS_KEY)`.
  package var flagAndVariable: String { "--\(name) (\(variable))" }

  /// The file that its value names; nil when none is given.
  func file(_ value: (String) -> String) -> TLSConfiguration.File? {
    let path = value(name)
    return path.isEmpty ? nil : .init(path: path, setting: flagAndVariable)
  }
}

extension TLSError {
  /// One setting is given without another that belongs to it.
  static func contradiction(_ given: Setting, _ missing: Setting, _ reason: String) -> TLSError {
    TLSError(.configuration, "\(given.flagAndVariable) is set and \(missing.flagAndVariable) is not: \(reason)")
  }
}

extension TLSContextSource {
  /// The files of a configuration; when they have changed and cannot be used, the log tells.
  static func following(_ configuration: TLSConfiguration, _ log: Log) throws(TLSError) -> TLSContextSource {
    try TLSContextSource(configuration) { error in
      log.error("changed TLS files are not used; those read before stay in force", [.error: error.message])
    }
  }
}
