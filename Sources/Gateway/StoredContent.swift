internal import HTTP
internal import Wire

/// A body that is sent as it is, again and again: ready in each form that it has.
struct StoredContent: Sendable {
  /// A form of the body, with its strong entity tag (RFC 9110 section 8.8.3).
  private struct Form: Sendable {
    let body: [UInt8]
    let tag: String

    init(_ body: [UInt8]) {
      self.body = body
      tag = EntityTag.of(body)
    }
  }

  private let type: String
  private let policy: String?
  private let plain: Form
  /// As gzip; nil when that is no shorter.
  private let gzip: Form?

  /// A body of this media type.
  ///
  /// - Parameter policy: the `Content-Security-Policy` of a page and its files; nil for what is data for everybody.
  init(type: String, body: [UInt8], policy: String?, compressor: GzipCompressor) {
    self.type = type
    self.policy = policy
    plain = Form(body)
    gzip = compressor.compress(body).map(Form.init)
  }

  /// The answer to a request with these fields: 304 when the client has the file already.
  func response(to fields: HTTPFields) -> HTTPResponse {
    let isCoded = gzip != nil && AcceptEncoding.prefersGzip(fields.list("accept-encoding"))
    let form = isCoded ? gzip ?? plain : plain
    // Names stay the same from version to version, so each use asks whether there is a newer file.
    var answer = [("ETag", form.tag), ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")]
    if let known = fields.list("if-none-match"), EntityTag.matches(known, form.tag) {
      return HTTPResponse(.notModified, fields: answer)
    }
    answer += [("Content-Type", type), ("X-Content-Type-Options", "nosniff")]
    if let policy {
      answer += [
        ("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
      ]
    }
    if isCoded { answer.append(("Content-Encoding", "gzip")) }
    return HTTPResponse(.ok, fields: answer, body: form.body)
  }
}
