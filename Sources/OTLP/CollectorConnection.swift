internal import CCURL

/// Posts to a collector by libcurl, which keeps the connection between posts.
// `post` blocks; its callers take turns, so that the handle is used by one thread at a time.
final class CollectorConnection: @unchecked Sendable {
  /// What became of a post.
  enum Outcome: Equatable, Sendable {
    case taken
    /// It may be taken later: the collector cannot be reached, or says so (OTLP 1.x, "Retryable response codes").
    case notNow(String)
    /// It never will.
    case refused(String)
  }

  private let curl: UnsafeMutableRawPointer
  private let fields: UnsafeMutablePointer<curl_slist>?

  /// A connection that is made when it is needed.
  ///
  /// - Parameters:
  ///   - url: where to post, `http` or `https`.
  ///   - headers: fields for each request, such as `Authorization: Bearer x`.
  init(url: String, headers: [String]) {
    curl_global_init(Int(CURL_GLOBAL_SSL | CURL_GLOBAL_WIN32))
    guard let curl = curl_easy_init() else { preconditionFailure("libcurl cannot be used") }
    self.curl = curl
    // No wait for the permission to send a body, which few collectors give.
    let all = ["Content-Type: application/json", "Expect:"] + headers
    let fields = all.reduce(nil) { curl_slist_append($0, $1) }
    self.fields = fields
    _ = url.withCString { ccurl_set_pointer(curl, CURLOPT_URL, $0) }
    _ = "gozon".withCString { ccurl_set_pointer(curl, CURLOPT_USERAGENT, $0) }
    _ = ccurl_set_pointer(curl, CURLOPT_HTTPHEADER, fields)
    _ = ccurl_set_long(curl, CURLOPT_POST, 1)
    // Signals belong to the process.
    _ = ccurl_set_long(curl, CURLOPT_NOSIGNAL, 1)
    _ = ccurl_discard_body(curl)
  }

  deinit {
    curl_easy_cleanup(curl)
    curl_slist_free_all(fields)
  }

  /// Posts `body`; blocks for `milliseconds` at most.
  func post(_ body: [UInt8], milliseconds: Int) -> Outcome {
    let code = body.withUnsafeBytes { bytes in
      _ = ccurl_set_pointer(curl, CURLOPT_POSTFIELDS, bytes.baseAddress)
      _ = ccurl_set_long(curl, CURLOPT_POSTFIELDSIZE, bytes.count)
      _ = ccurl_set_long(curl, CURLOPT_TIMEOUT_MS, max(1, milliseconds))
      return curl_easy_perform(curl)
    }
    guard code == CURLE_OK else { return .notNow(String(cString: curl_easy_strerror(code))) }
    let status = ccurl_response_code(curl)
    switch status {
    case 200..<300: return .taken
    case 429, 502, 503, 504: return .notNow("status \(status)")
    default: return .refused("status \(status)")
    }
  }
}
