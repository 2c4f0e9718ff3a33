@testable import HTTP
import Testing

@Suite struct AcceptEncodingTests {
  @Test(arguments: [
    "gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.5", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "*;q=0.001",
    "gzip ; q=1.000",
    "identity;q=0.5, gzip;q=0.5", "identity;q=0, gzip", "gzip;q=0.2, *;q=0",
  ])
  func `gzip is wanted`(list: String) { #expect(AcceptEncoding.prefersGzip(list)) }

  @Test(arguments: [
    nil, "", "identity", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "identity, gzip;q=0.5", "gzip;q=2",
    "gzip;q=", "gzip;q=x", "gzip;q=0.1234", "gzip;p=1", "gzip;q=0.5;q=0.6", "gzipped", ";q=1", ",,",
  ])
  func `gzip is not wanted`(list: String?) { #expect(!AcceptEncoding.prefersGzip(list)) }
}

@Suite struct ResponseCompressionTests {
  private static let long = Array(String(repeating: "{\"amount\":10},", count: 100).utf8)

  private func coded(_ response: HTTPResponse, accept: String? = "gzip") -> HTTPResponse {
    ResponseCompression().coded(response, for: HTTPFields(accept.map { [("accept-encoding", $0)] } ?? []))
  }

  private func response(_ fields: [(String, String)], type: String = "application/json") -> HTTPResponse {
    HTTPResponse(.ok, fields: [("Content-Type", type)] + fields, body: Self.long)
  }

  @Test func `a long text is sent as gzip, and its tag becomes a weak one`() {
    let coded = coded(response([("ETag", "\"a\"")]))
    #expect(coded.body.starts(with: [0x1F, 0x8B]) && coded.body.count < Self.long.count / 4)
    #expect(coded.fields["content-encoding"] == "gzip" && coded.fields["vary"] == "Accept-Encoding")
    #expect(coded.fields.values(of: "etag") == ["W/\"a\""])
  }

  @Test func `a client that does not want it gets it as it is, and caches learn why`() {
    let coded = coded(response([("ETag", "\"a\""), ("Vary", "Origin")]), accept: "identity")
    #expect(coded.body == Self.long && coded.fields["etag"] == "\"a\"")
    #expect(coded.fields.list("vary") == "Origin, Accept-Encoding" && !coded.fields.contains("content-encoding"))
  }

  @Test func `an unchanged representation has the tag that it would be sent with`() {
    let unchanged = coded(HTTPResponse(.notModified, fields: [("ETag", "\"a\"")]))
    #expect(unchanged.fields["etag"] == "W/\"a\"" && unchanged.fields["vary"] == "Accept-Encoding")
    #expect(!unchanged.fields.contains("content-encoding"))
    #expect(coded(response([("ETag", "W/\"a\"")])).fields["etag"] == "W/\"a\"")
  }

  @Test(arguments: [
    ("image/svg+xml", true), ("text/html; charset=utf-8", true), ("application/problem+json", true),
    ("application/javascript", true), ("image/png", false), ("application/octet-stream", false), ("", false),
  ])
  func `only texts are coded`(type: String, isCoded: Bool) {
    #expect((coded(response([], type: type)).fields["content-encoding"] != nil) == isCoded)
  }

  @Test func `what is short, coded already, a part, or not to be touched stays as it is`() {
    let short = HTTPResponse.content("application/json", "{}")
    #expect(coded(short).fields.count == 1)
    for field in [("Content-Encoding", "br"), ("Cache-Control", "public, no-transform")] {
      #expect(coded(response([field])).body == Self.long)
    }
    var part = response([])
    part.status = HTTPStatus(206)
    #expect(coded(part).body == Self.long)
    #expect(coded(HTTPResponse { _ in }).fields.count == 0)
  }
}
