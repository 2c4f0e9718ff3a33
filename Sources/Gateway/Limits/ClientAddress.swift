internal import Glibc
internal import HTTP

/// What tells one anonymous client from another: its address, or what the proxies in front of the gateway say that it is.
struct ClientAddress: Sendable {
  /// The most bytes of an address as text, with a port.
  private static let bytesMax = 53

  /// How many proxies stand in front, each of which adds to `X-Forwarded-For` where it has a request from. What stands
  /// before that is the client's own word, and counts for nothing.
  let proxyHops: Int

  /// The bucket of whoever sent a request: its address of IPv4, or its network of IPv6, /64, in which one machine has as
  /// many addresses as it likes.
  func key(of request: HTTPRequest) -> String { Self.network(forwarded(request) ?? Self.host(request.peer)) }

  /// The address that the outermost proxy had the request from; nil when nothing of the kind is said.
  private func forwarded(_ request: HTTPRequest) -> String? {
    guard proxyHops > 0, let list = request.fields.list("x-forwarded-for") else { return nil }
    let hops = list.split(separator: ",").map(\.trimmed)
    guard hops.count >= proxyHops else { return nil }
    let hop = hops[hops.count - proxyHops]
    guard (1...Self.bytesMax).contains(hop.utf8.count) else { return nil }
    // Some proxies say the port as well, which is another for each connection.
    return hop.hasPrefix("[") || hop.count(where: { $0 == ":" }) == 1 ? Self.host(String(hop)) : String(hop)
  }

  /// The host of `host:port`, IPv6 without brackets.
  private static func host(_ peer: String) -> String {
    if peer.hasPrefix("[") { return String(peer.dropFirst().prefix { $0 != "]" }) }
    return peer.lastIndex(of: ":").map { String(peer[..<$0]) } ?? peer
  }

  /// The network of an address, as text.
  static func network(_ address: String) -> String {
    var bytes = in6_addr()
    guard address.contains(":"), inet_pton(AF_INET6, address, &bytes) == 1 else { return address }
    return withUnsafeBytes(of: bytes) { bytes in
      // IPv4 that came by a socket of IPv6 (RFC 4291 section 2.5.5.2).
      if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
        return bytes[12...].map(String.init).joined(separator: ".")
      }
      return bytes[..<8].map { String($0, radix: 16) }.joined(separator: ":") + "/64"
    }
  }
}
