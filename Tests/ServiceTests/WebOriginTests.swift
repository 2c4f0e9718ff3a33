import Testing

@testable import Service

@Suite struct WebOriginTests {
  @Test(arguments: [
    ("*", ["*"]), ("https://shop.example", ["https://shop.example"]),
    ("https://a.example, http://localhost:3000", ["https://a.example", "http://localhost:3000"]),
    ("http://[::1]:8080", ["http://[::1]:8080"]),
  ])
  func `origins are read as browsers write them`(text: String, origins: [String]) {
    #expect(WebOrigin.list(text) == origins)
  }

  @Test(arguments: [
    "shop.example", "https://shop.example/", "https://Shop.example", "https://shop.example:443", "http://a.example:80",
    "null", "https://", "*, https://a.example", "https://a.example,", "ftp://a.example", "https://*.example",
    "https://user@a.example",
  ])
  func `what no browser sends is refused, for it would never match`(text: String) {
    #expect(WebOrigin.list(text) == nil)
  }
}
