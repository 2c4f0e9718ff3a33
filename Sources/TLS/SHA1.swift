internal import COpenSSL

/// SHA-1, for protocols that name it (RFC 6455 section 4.2.2); it protects nothing.
package enum SHA1 {
  /// Bytes of a digest.
  package static let digestBytes = 20

  /// The digest of some bytes.
  package static func digest(of bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: digestBytes) { digest, count in
      let code = EVP_Digest(bytes, bytes.count, digest.baseAddress, nil, EVP_sha1(), nil)
      precondition(code == 1, "OpenSSL has no SHA-1")
      count = digestBytes
    }
  }
}
