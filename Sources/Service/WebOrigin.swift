/// Where a web page comes from (RFC 6454): scheme, host and port.
package enum WebOrigin {
  /// Everybody's.
  package static let any = "*"

  /// The origins of a list separated by commas, as browsers write them, or ``any`` alone; nil when one is none.
  package static func list(_ text: String) -> [String]? {
    if text == any { return [any] }
    let origins = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0.drop { $0 == " " }) }
    return origins.allSatisfy(isOrigin) ? origins : nil
  }

  /// Whether it is an origin as browsers write it: in lower case, without a path, without the port that goes without
  /// saying. `null`, which every sandboxed page is, is none.
  private static func isOrigin(_ text: String) -> Bool {
    guard let scheme = ["http", "https"].first(where: { text.hasPrefix("\($0)://") }) else { return false }
    let authority = text.dropFirst(scheme.count + 3)
    let isUsual = authority.hasSuffix(scheme == "http" ? ":80" : ":443")
    return !authority.isEmpty && !isUsual && authority.utf8.count <= 255 && authority.utf8.allSatisfy(isAuthorityByte)
  }

  private static func isAuthorityByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    default: "-._:[]".utf8.contains(byte)
    }
  }
}
