@testable import HTTP
import Testing

@Suite struct RequestParserTests {
  private static let pipelined = """
    POST /v1/orders?dry=1 HTTP/1.1\r\nHost: shop.example:8080\r\nContent-Length: 5\r\nX-Blank:  \t a b \t\r\n\r\nhello\
    \r\nGET http://shop.example?x HTTP/1.1\r\nHost: other\r\nA:\r\n\r\n\
    PUT /chunks HTTP/1.1\r\nhost: [::1]:80\r\nTransfer-Encoding: Chunked\r\n\r\n\
    3;name="v"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n\
    OPTIONS * HTTP/1.0\r\n\r\n
    """
  private static let expected: [Parsed] = [
    .request("POST /v1/orders dry=1,Host=shop.example:8080,Content-Length=5,X-Blank=a b", body: "hello"),
    .request("GET / x,Host=other,A=", body: ""),
    .request("PUT /chunks -,host=[::1]:80,Transfer-Encoding=Chunked", body: "abc0123456789"),
    .request("OPTIONS * -", body: ""),
  ]

  @Test func `pipelined requests come out in order`() {
    #expect(parse(Self.pipelined) == Self.expected)
  }

  @Test func `every split of the bytes gives the same requests`() {
    let bytes = Array(Self.pipelined.utf8)
    for cut in 1..<bytes.count {
      #expect(parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.expected, "cut at \(cut)")
    }
    #expect(parse(bytes.map { [$0] }) == Self.expected)
  }

  @Test func `every truncation gives only the requests that are whole`() {
    let bytes = Array(Self.pipelined.utf8)
    for cut in 0..<bytes.count {
      let parsed = parse([Array(bytes[..<cut])])
      #expect(parsed == Array(Self.expected.prefix(parsed.count)) && parsed.count < Self.expected.count)
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\nHost: x\n\n",
    "GET / HTTP/1.1\r\nHost: x\rY: \r\n\r\n",
    "GET /\raaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\rb HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcZZ0\r\n\r\n",
    "GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nLong: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n01234567\r\n9\r\n012345678\r\n0\r\n\r\n",
  ])
  func `every split of a bad request is refused alike`(text: String) {
    var limits = HTTPLimits()
    limits.requestLineBytesMax = 64
    limits.headBytesMax = 80
    limits.bodyBytesMax = 24
    let whole = parse(text, limits: limits)
    guard case .refused = whole.last else { return #expect(Bool(false), "taken: \(text)") }
    let bytes = Array(text.utf8)
    for cut in 1..<bytes.count {
      #expect(parse([Array(bytes[..<cut]), Array(bytes[cut...])], limits: limits) == whole, "cut at \(cut)")
    }
    #expect(parse(bytes.map { [$0] }, limits: limits) == whole)
  }

  @Test func `a client that waits for 100 is told so, once its head is whole and nothing of its body is here`() throws {
    let head = "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    var parser = RequestParser(limits: HTTPLimits())
    var position = 0
    guard case .expectsContinue = try parser.next(Array(head.utf8).span.bytes, &position) else {
      Issue.record("the expectation was not told")
      return
    }
    #expect(parser.phase == .body)
    position = 0
    guard case .request = try parser.next([UInt8](arrayLiteral: 1, 2).span.bytes, &position) else {
      Issue.record("the request did not come")
      return
    }
    #expect(parser.phase == .idle)
    #expect(
      parse(head + "ok") == [
        .request("POST / -,Host=x,Expect=100-continue,Content-Length=2", body: "ok")
      ])
  }

  @Test func `a parser takes nothing after a refusal`() throws {
    #expect(parse("BAD\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n") == [.refused(400)])
    var parser = RequestParser(limits: HTTPLimits())
    var position = 0
    #expect(throws: HTTPRefusal.self) { try parser.next(Array("BAD\r\n\r\n".utf8).span.bytes, &position) }
    position = 0
    let rest = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
    guard case .needsBytes = try parser.next(rest.span.bytes, &position) else {
      Issue.record("a request came out of a refusal")
      return
    }
    #expect(position == rest.count)
  }

  @Test func `whatever bytes come, nothing crashes`() {
    var random = SplitMix64(seed: 9112)
    let seed = Array(Self.pipelined.utf8)
    for _ in 0..<3_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let whole = parse([bytes])
      let cut = Int.random(in: 1..<bytes.count, using: &random)
      #expect(parse([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole, "\(bytes)")
    }
  }
}
