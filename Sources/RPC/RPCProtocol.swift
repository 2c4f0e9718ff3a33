/// The protocol as others know it.
package enum RPCProtocol {
  /// What a client and a server of TLS call it (ALPN, RFC 7301).
  package static let name = "gozon/1"
}
