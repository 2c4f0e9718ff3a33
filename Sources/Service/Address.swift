/// A host and a port.
package struct Address: Hashable, Sendable, CustomStringConvertible {
  /// A name or a numeric address, IPv6 without brackets.
  package let host: String
  /// 1 to 65,535.
  package let port: Int

  /// The address of `text`, such as `127.0.0.1:7001` or `[::1]:7001`; nil when it is none.
  package init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (1...65_535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    guard !host.isEmpty, !host.contains(" ") else { return nil }
    self.host = host
    self.port = port
  }

  /// The addresses of a list separated by commas; nil when any is none.
  package static func list(_ text: String) -> [Address]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let addresses = parts.compactMap { Address($0.drop { $0 == " " }) }
    return addresses.count == parts.count ? addresses : nil
  }

  /// Such as `127.0.0.1:7001`.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether `host` can be reached from this machine alone.
  package static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.")
  }
}
