internal import Wire

/// Sends bodies that are there as a whole as gzip, where the client wants that and it pays (RFC 9110 section 8.4).
///
/// A coded body is another representation, so a strong `ETag` becomes a weak one (section 8.8.3.3): `If-None-Match`
/// compares weakly, and so still finds it.
// Confined to its server's event loop.
final class ResponseCompression {
  /// Smaller bodies fit a packet or two anyway.
  private static let bodyBytesMin = 1_024
  /// Larger ones would hold up the loop: level 1 takes 2 to 4 ms for each megabyte.
  private static let bodyBytesMax = 1 << 20

  private lazy var compressor = GzipCompressor()

  /// The response that is sent instead of `response` to a request with these fields.
  func coded(_ response: HTTPResponse, for request: HTTPFields) -> HTTPResponse {
    guard case .bytes(let body) = response.content, Self.isEligible(response, body) else { return response }
    var coded = response
    coded.fields.append("Vary", "Accept-Encoding")
    guard AcceptEncoding.prefersGzip(request.list("accept-encoding")) else { return coded }
    if response.status != .notModified {
      guard let file = compressor.compress(body) else { return coded }
      coded.content = .bytes(file)
      coded.fields.append("Content-Encoding", "gzip")
    }
    if let tag = response.fields["etag"], !tag.hasPrefix("W/") { coded.fields.replace("ETag", "W/\(tag)") }
    return coded
  }

  private static func isEligible(_ response: HTTPResponse, _ body: [UInt8]) -> Bool {
    let fields = response.fields
    // The handler has chosen between codings itself, and says so.
    if fields.list("vary")?.lowercased().contains("accept-encoding") ?? false { return false }
    // It says of the response that was not sent what that would have said of itself.
    if response.status == .notModified { return true }
    guard (bodyBytesMin...bodyBytesMax).contains(body.count), response.status.code != 206 else { return false }
    guard let type = fields["content-type"], isCompressible(type), !fields.contains("content-encoding") else {
      return false
    }
    return !(fields.list("cache-control")?.lowercased().contains("no-transform") ?? false)
  }

  /// Whether a media type is text in some form.
  private static func isCompressible(_ type: String) -> Bool {
    let type = (type.split(separator: ";").first ?? "").lowercased().filter { $0 != " " && $0 != "\t" }
    if type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml") { return true }
    return ["application/json", "application/javascript", "application/xml", "application/x-ndjson"].contains(type)
  }
}
