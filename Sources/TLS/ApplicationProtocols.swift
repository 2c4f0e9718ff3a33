internal import COpenSSL

/// The protocols that a side speaks over TLS, the preferred first, as ALPN carries them (RFC 7301 section 3.1).
// Never changes after `init`.
final class ApplicationProtocols: @unchecked Sendable {
  private let list: UnsafeMutableBufferPointer<UInt8>

  init(_ names: [String]) throws(TLSError) {
    var bytes: [UInt8] = []
    for name in names {
      guard (1...255).contains(name.utf8.count) else {
        throw TLSError(.configuration, "\"\(name)\" is no name of a protocol: it must have 1 to 255 bytes")
      }
      bytes.append(UInt8(name.utf8.count))
      bytes += name.utf8
    }
    list = .allocate(capacity: bytes.count)
    _ = list.initialize(from: bytes)
  }

  deinit { list.deallocate() }

  /// Makes `context`, which this must outlive, offer the protocols as a client, and choose of them as a server.
  func install(in context: OpaquePointer, role: TLSConfiguration.Role) {
    if list.isEmpty { return }
    switch role {
    case .client: SSL_CTX_set_alpn_protos(context, list.baseAddress, UInt32(list.count))
    case .server: SSL_CTX_set_alpn_select_cb(context, Self.select, Unmanaged.passUnretained(self).toOpaque())
    }
  }

  private static let select: SSL_CTX_alpn_select_cb_func = { _, chosen, chosenCount, offered, offeredCount, owner in
    let own = Unmanaged<ApplicationProtocols>.fromOpaque(owner!).takeUnretainedValue().list
    return chosen!.withMemoryRebound(to: UnsafeMutablePointer<UInt8>?.self, capacity: 1) { chosen in
      let outcome = SSL_select_next_proto(
        chosen, chosenCount, own.baseAddress, UInt32(own.count), offered, offeredCount)
      return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
    }
  }
}
