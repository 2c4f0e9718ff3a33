@testable import HTTP
import Testing

@Suite struct HTTPFieldsTests {
  @Test func `names compare without regard to case, and only letters fold`() {
    let fields = HTTPFields([("Accept", "a"), ("ACCEPT", "b")])
    #expect(fields["accept"] == "a")
    #expect(fields.values(of: "aCCept") == ["a", "b"])
    #expect(fields.list("Accept") == "a, b")
    #expect(fields["accep"] == nil && !fields.contains("acceptx") && fields.list("x") == nil)
    #expect(Array("a\u{40}".utf8)[...].equalsIgnoringCase("a`") == false)
  }

  @Test func `a value cannot end its line`() {
    let fields = HTTPFields([("A", "b\r\nC: d\u{0}")])
    #expect(String(decoding: fields.text, as: UTF8.self) == "A: b  C: d \r\n")
    #expect(fields.count == 1 && fields.field(at: 0) == ("A", "b  C: d "))
  }
}

@Suite struct HTTPRequestTests {
  @Test func `a request made by hand keeps to the same rules`() throws {
    let request = try HTTPRequest(.get, "/a%20b?x=1+2&y=%26&z&=w", fields: [("A", "b")])
    #expect(text(request.path) == "/a%20b")
    let items = try request.queryItems()
    #expect(items.map(\.name) == ["x", "y", "z", ""] && items.map(\.value) == ["1 2", "&", "", "w"])
    #expect(request.fields["host"] == "localhost")
    #expect(throws: HTTPRefusal.self) { try HTTPRequest(.get, "a b") }
    #expect(throws: HTTPRefusal.self) { try HTTPRequest(.get, "/?a=%FF").queryItems() }
  }

  @Test func `percent escapes decode to UTF-8 or not at all`() {
    func decode(_ text: String) -> String? { PercentEncoding.decode(Array(text.utf8)[...]) }
    #expect(decode("a%2Fb+%C3%A9") == "a/b+é")
    #expect(decode("%") == nil && decode("%4") == nil && decode("%zz") == nil && decode("%C3") == nil)
    #expect(PercentEncoding.encodeSegment("a/é ~") == "a%2F%C3%A9%20~")
  }
}

@Suite struct HTTPDateTests {
  @Test func `dates are as RFC 9110 writes them`() {
    #expect(HTTPDate.text(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
    #expect(HTTPDate.text(secondsSince1970: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    #expect(HTTPDate.text(secondsSince1970: 4_107_542_399) == "Sun, 28 Feb 2100 23:59:59 GMT")
  }
}

@Suite struct ResponseEncoderTests {
  private func encode(_ response: HTTPResponse, isHead: Bool = false, is10: Bool = false, keeps: Bool = true) -> String
  {
    var encoder = ResponseEncoder()
    encoder.dateLine = Array("Date: D\r\n".utf8)
    var bytes: [UInt8] = []
    encoder.append(
      response, ResponseEncoder.Context(isHead: isHead, isVersion10: is10, keepsAlive: keeps), to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `golden responses`() {
    let response = HTTPResponse.content("text/plain", "hi")
    let head = "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
    #expect(encode(response) == head + "\r\nhi")
    #expect(encode(response, isHead: true) == head + "\r\n")
    #expect(encode(response, keeps: false) == head + "Connection: close\r\n\r\nhi")
    #expect(encode(response, is10: true) == head + "Connection: keep-alive\r\n\r\nhi")
    #expect(
      encode(HTTPResponse(.notModified, fields: [("ETag", "\"1\"")], body: [1]))
        == "HTTP/1.1 304 Not Modified\r\nDate: D\r\nETag: \"1\"\r\n\r\n")
    #expect(encode(HTTPResponse(.created)) == "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Length: 0\r\n\r\n")
  }

  @Test func `a refusal says why`() {
    let response = HTTPResponse.text(HTTPRefusal(.badRequest, "No."))
    #expect(text(response.body[...]) == "400 Bad Request: No.\n" && response.status == .badRequest)
  }
}
