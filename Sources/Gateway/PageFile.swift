internal import HTTP
internal import Wire

/// A file of the web page, ready to be sent in each form that it has.
struct PageFile: Sendable {
  /// A form of the file, with its strong entity tag (RFC 9110 section 8.8.3).
  private struct Form: Sendable {
    let body: [UInt8]
    let tag: String

    init(_ body: [UInt8]) {
      self.body = body
      tag = EntityTag.of(body)
    }
  }

  /// The page runs its own files and nothing else, calls nobody but this server, and is in no frame of another page.
  private static let policy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].joined(separator: "; ")

  private let type: String
  private let plain: Form
  /// As gzip; nil when that is no shorter.
  private let gzip: Form?

  /// A file of this media type.
  init(type: String, body: [UInt8], compressor: GzipCompressor) {
    self.type = type
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
    answer += [
      ("Content-Type", type), ("Content-Security-Policy", Self.policy), ("X-Content-Type-Options", "nosniff"),
      ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
    if isCoded { answer.append(("Content-Encoding", "gzip")) }
    return HTTPResponse(.ok, fields: answer, body: form.body)
  }
}
