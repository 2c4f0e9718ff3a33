@testable import HTTP
import Testing

/// What must be refused so that nobody reads another request out of the same bytes (RFC 9112 section 11.2).
@Suite struct StrictnessTests {
  private static let host = "Host: x"
  private static let get = "GET / HTTP/1.1"
  private static let post = "POST / HTTP/1.1"

  @Test(arguments: [
    "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/ HTTP/1.1", "GET /",
    "GET / HTTP/1.1\rX", "GET / HTTP/1", "GET / http/1.1", "GET / HTTP/1.11", "GET / HTP/1.1", "GE(T / HTTP/1.1",
    "GET", "", "GET / / HTTP/1.1", "GET /\u{1} HTTP/1.1", "GET /\u{7F} HTTP/1.1", "GET /é HTTP/1.1",
    "GET orders HTTP/1.1", "GET //x:y@z@ HTTP/1.1 ",
  ])
  func `a malformed request line`(line: String) {
    #expect(refusal(line, Self.host) == 400)
  }

  @Test(arguments: [
    "/a#b", "/a\"b", "/a<b", "/a\\b", "/a{b}", "/%", "/%4", "/%zz", "*", "ftp://x/", "http://", "http:///a",
    "http://u@h/", "http://h:x/", "h:80", "/a|b", "/^", "/`",
  ])
  func `a malformed target`(target: String) {
    #expect(refusal("GET \(target) HTTP/1.1", Self.host) == 400)
  }

  @Test(arguments: [
    "/", "/a%20b?c=%2F&d", "http://h", "HTTP://h:80/a?b", "https://[::1]:8080/", "/a//b/../c;d=e,f", "/?",
  ])
  func `a good target is taken`(target: String) {
    #expect(refusal("GET \(target) HTTP/1.1", Self.host) == 0)
  }

  @Test func `every registered method with a use here is known`() {
    for method in HTTPMethod.allCases { #expect(refusal("\(method.rawValue) / HTTP/1.1", Self.host) == 0) }
  }

  @Test(arguments: [
    (["CONNECT h:80 HTTP/1.1"], 501), (["PROPFIND / HTTP/1.1"], 501), (["BREW / HTTP/1.1"], 501),
    (["get / HTTP/1.1"], 501), (["GET / HTTP/2.0"], 505), (["GET / HTTP/1.2"], 505), (["GET / HTTP/0.9"], 505),
  ])
  func `what is well-formed but not for us says which`(lines: [String], status: Int) {
    #expect(refusal(lines[0], Self.host) == status)
  }

  @Test(arguments: [
    "A b: c", "A : c", ": c", "A", " A: c", "A\u{1}: c", "A: b\u{0}c", "A: b\u{7F}", "A: b\rc", "A(: c", "A: b\u{8}",
    "é: c", "A: b\r", "\rA: b", "A:\rXB: c", "\rGET / HTTP/1.1",
  ])
  func `a malformed header field`(field: String) {
    #expect(refusal(Self.get, Self.host, field) == 400)
    #expect(refusal(Self.get, field, Self.host) == 400)
  }

  @Test func `a folded header field`() {
    #expect(refusal(Self.get, Self.host, "A: b", " c") == 400)
    #expect(refusal(Self.get, Self.host, "A:", "\tc") == 400)
    #expect(refusal(Self.get, " Folded: at once", Self.host) == 400)
  }

  @Test func `lines that do not end in CR LF`() {
    for text in [
      "GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\n",
      "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
      #expect(parse(text) == [.refused(400)], "\(text.debugDescription)")
    }
  }

  @Test func `a missing, repeated or malformed Host`() {
    #expect(refusal(Self.get) == 400)
    #expect(refusal(Self.get, Self.host, Self.host) == 400)
    #expect(refusal("GET / HTTP/1.0") == 0)
    #expect(refusal("GET / HTTP/1.0", Self.host, Self.host) == 400)
    for value in ["a b", "a/b", "a@b", "a,b", "a:b", "[::1", "[]", "[x]:1", "a:1:2", "<"] {
      #expect(refusal(Self.get, "Host: \(value)") == 400, "\(value)")
    }
    for value in ["", "a", "a:", "a.b-c:80", "127.0.0.1:8080", "[2001:db8::1]"] {
      #expect(refusal(Self.get, "Host: \(value)") == 0, "\(value)")
    }
  }

  @Test(arguments: [
    ["Content-Length: 3", "Transfer-Encoding: chunked"], ["Transfer-Encoding: chunked", "Content-Length: 3"],
    ["Content-Length: 3", "Content-Length: 4"], ["Content-Length: 3", "Content-Length: 3"],
    ["Content-Length: 3, 3"], ["Content-Length: +3"], ["Content-Length: -3"], ["Content-Length: 0x3"],
    ["Content-Length:"], ["Content-Length: 3 3"], ["Content-Length: 99999999999999999999"], ["Content-Length: 3;"],
    ["Transfer-Encoding: gzip"], ["Transfer-Encoding: gzip, chunked"], ["Transfer-Encoding: chunked, chunked"],
    ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], ["Transfer-Encoding: identity"],
    ["Transfer-Encoding: xchunked"], ["Transfer-Encoding:"], ["Transfer-Encoding: \"chunked\""],
    ["Transfer-Encoding : chunked"], ["Content-Length : 3"], ["Transfer-Encoding:\u{B}chunked"],
    ["Content-Length: 0", "Content-Length: 0"], ["Content-Length: 0", "Transfer-Encoding: chunked"],
  ])
  func `a body whose length can be read in two ways`(fields: [String]) {
    let text = ([Self.post, Self.host] + fields).map { $0 + "\r\n" }.joined() + "\r\n3\r\nabc\r\n0\r\n\r\n"
    #expect(parse(text) == [.refused(400)])
  }

  @Test func `chunks in an HTTP/1.0 request`() {
    #expect(refusal("POST / HTTP/1.0", "Transfer-Encoding: chunked", body: "0\r\n\r\n") == 400)
  }

  @Test(arguments: [
    "3\nabc\r\n0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\rXabc\r\n0\r\n\r\n", "\r\n", "g\r\n",
    "3 \n", "0x3\r\nabc\r\n0\r\n\r\n", "-3\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", ";a\r\n",
    "0\r\n\n", "0\r\n folded\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: \u{0}\r\n\r\n", "3;\u{0}\r\nabc\r\n0\r\n\r\n",
  ])
  func `malformed chunks`(body: String) {
    #expect(refusal(Self.post, Self.host, "Transfer-Encoding: chunked", body: body) == 400)
  }

  @Test func `more than the limits`() {
    var limits = HTTPLimits()
    limits.fieldsMax = 2
    limits.bodyBytesMax = 10
    #expect(refusal(Self.get, Self.host, "A: b", limits: limits) == 0)
    #expect(refusal(Self.get, Self.host, "A: b", "B: c", limits: limits) == 431)
    #expect(refusal(Self.get, Self.host, "A: " + String(repeating: "a", count: 17_000)) == 431)
    #expect(refusal("GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1", Self.host) == 414)
    #expect(refusal(Self.post, Self.host, "Content-Length: 11", limits: limits) == 413)
    for body in ["b\r\n", "fffffffffffffffffffff\r\n", "1\r\na\r\n1\r\na\r\n", "1;aaaaaaaaaaaaaaaaaaaa\r\n"] {
      #expect(refusal(Self.post, Self.host, "Transfer-Encoding: chunked", body: body, limits: limits) == 413)
    }
  }

  @Test func `an expectation other than 100-continue`() {
    #expect(refusal(Self.post, Self.host, "Expect: gold", "Content-Length: 1", body: "a") == 417)
    #expect(refusal("POST / HTTP/1.0", "Expect: gold", "Content-Length: 1", body: "a") == 0)
  }
}
