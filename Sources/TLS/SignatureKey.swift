internal import COpenSSL

/// A key that checks signatures of one algorithm and, when it is a secret one, makes them.
// OpenSSL's keys may be used by any thread once they are made; nothing here changes after `init`.
package final class SignatureKey: @unchecked Sendable {
  /// Bytes that a secret of HMAC has at least: as many as the hash (RFC 7518 section 3.2).
  package static let secretBytesMin = 32
  /// Bytes of a number of P-256 and of Ed25519.
  private static let numberBytes = 32
  private static let signatureBytes = 64
  /// DER adds two lengths and maybe two zeros to the numbers of a signature.
  private static let derBytesMax = 80

  /// What it is for, and nothing else (RFC 8725 section 3.1).
  package let algorithm: SignatureAlgorithm
  private let pointer: OpaquePointer?
  private let secret: [UInt8]

  private init?(_ algorithm: SignatureAlgorithm, _ pointer: OpaquePointer?) {
    guard let pointer else {
      ERR_clear_error()
      return nil
    }
    self.algorithm = algorithm
    self.pointer = pointer
    secret = []
  }

  /// A key of HMAC; nil when the secret is too short.
  package init?(hmac secret: [UInt8]) {
    guard secret.count >= Self.secretBytesMin else { return nil }
    algorithm = .hs256
    pointer = nil
    self.secret = secret
  }

  /// A public key of Ed25519, 32 bytes; nil when it is none.
  package convenience init?(ed25519 bytes: [UInt8]) {
    guard bytes.count == Self.numberBytes else { return nil }
    self.init(.edDSA, EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count))
  }

  /// A secret key of Ed25519, 32 bytes; nil when it is none.
  package convenience init?(ed25519Secret bytes: [UInt8]) {
    guard bytes.count == Self.numberBytes else { return nil }
    self.init(.edDSA, EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, bytes, bytes.count))
  }

  /// A key of P-256: the coordinates of its point, 32 bytes each, and its secret number if there is one; nil when the point is
  /// not on the curve.
  package convenience init?(p256 x: [UInt8], _ y: [UInt8], secret: [UInt8]? = nil) {
    guard [x, y, secret ?? x].allSatisfy({ $0.count == Self.numberBytes }) else { return nil }
    self.init(.es256, copenssl_p256_key([4] + x + y, secret))
  }

  /// A new secret key of Ed25519 or P-256, or a new secret of HMAC.
  package static func generate(_ algorithm: SignatureAlgorithm) -> SignatureKey {
    let key: SignatureKey? =
      switch algorithm {
      case .edDSA: SignatureKey(.edDSA, copenssl_generate_ed25519())
      case .es256: SignatureKey(.es256, copenssl_generate_p256())
      case .hs256: SignatureKey(hmac: (0..<secretBytesMin).map { _ in UInt8.random(in: 0 ... .max) })
      }
    guard let key else { preconditionFailure("OpenSSL makes no keys") }
    return key
  }

  deinit { EVP_PKEY_free(pointer) }

  // MARK: Signatures

  /// Whether `signature` is this key's of `message`.
  package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    defer { ERR_clear_error() }
    switch algorithm {
    case .hs256:
      let own = mac(of: message)
      return signature.count == own.count && CRYPTO_memcmp(signature, own, own.count) == 0
    case .edDSA:
      return signature.count == Self.signatureBytes && verifies(der: signature, of: message, nil)
    case .es256:
      guard signature.count == Self.signatureBytes else { return false }
      let der = [UInt8](unsafeUninitializedCapacity: Self.derBytesMax) { buffer, count in
        count = max(0, Int(copenssl_p256_signature_to_der(signature, buffer.baseAddress)))
      }
      return !der.isEmpty && verifies(der: der, of: message, EVP_sha256())
    }
  }

  /// The signature of `message`; nil when this is a public key.
  package func sign(_ message: [UInt8]) -> [UInt8]? {
    defer { ERR_clear_error() }
    switch algorithm {
    case .hs256: return mac(of: message)
    case .edDSA: return signature(of: message, nil)
    case .es256:
      guard let der = signature(of: message, EVP_sha256()) else { return nil }
      return [UInt8](unsafeUninitializedCapacity: Self.signatureBytes) { buffer, count in
        count =
          copenssl_p256_signature_from_der(der, der.count, buffer.baseAddress) == 1 ? Self.signatureBytes : 0
      }
    }
  }

  private func verifies(der: [UInt8], of message: [UInt8], _ digest: OpaquePointer?) -> Bool {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, digest, nil, pointer) == 1
      && EVP_DigestVerify(context, der, der.count, message, message.count) == 1
  }

  private func signature(of message: [UInt8], _ digest: OpaquePointer?) -> [UInt8]? {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestSignInit(context, nil, digest, nil, pointer) == 1 else { return nil }
    var isDone = false
    let signature = [UInt8](unsafeUninitializedCapacity: Self.derBytesMax) { buffer, count in
      count = buffer.count
      isDone = EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count) == 1
      if !isDone { count = 0 }
    }
    return isDone ? signature : nil
  }

  private func mac(of message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Self.numberBytes) { buffer, count in
      var length: UInt32 = 0
      HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, buffer.baseAddress, &length)
      count = Int(length)
    }
  }

  // MARK: Parts

  /// What the key is made of, as JSON Web Keys have it.
  package enum Parts: Equatable, Sendable {
    case hmac([UInt8])
    case ed25519(public: [UInt8], secret: [UInt8]?)
    case p256(x: [UInt8], y: [UInt8], secret: [UInt8]?)
  }

  /// What it is made of; the secret only when it has one.
  package var parts: Parts {
    defer { ERR_clear_error() }
    switch algorithm {
    case .hs256: return .hmac(secret)
    case .edDSA:
      return .ed25519(
        public: raw(EVP_PKEY_get_raw_public_key) ?? [], secret: raw(EVP_PKEY_get_raw_private_key))
    case .es256:
      let point = bytes(65) { copenssl_p256_point(pointer, $0) == 1 } ?? []
      return .p256(
        x: Array(point[1..<33]), y: Array(point[33...]), secret: bytes(32) { copenssl_p256_secret(pointer, $0) == 1 })
    }
  }

  private func raw(
    _ get: (OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int>?) -> Int32
  ) -> [UInt8]? {
    var length = Self.numberBytes
    return bytes(length) { get(pointer, $0, &length) == 1 }
  }

  private func bytes(_ count: Int, _ fill: (UnsafeMutablePointer<UInt8>?) -> Bool) -> [UInt8]? {
    var isFilled = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      isFilled = fill(buffer.baseAddress)
      initialized = isFilled ? count : 0
    }
    return isFilled ? bytes : nil
  }
}
