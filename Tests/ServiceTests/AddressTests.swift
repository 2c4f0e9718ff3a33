import Testing

@testable import Service

@Suite struct AddressTests {
  @Test(arguments: [
    ("127.0.0.1:7001", "127.0.0.1", 7_001), ("[::1]:80", "::1", 80), ("orders:65535", "orders", 65_535),
    ("a.b-c.example:1", "a.b-c.example", 1),
  ])
  func `an address is a host and a port, and reads back`(text: String, host: String, port: Int) throws {
    let address = try #require(Address(text))
    #expect(address.host == host && address.port == port && address.description == text)
  }

  @Test(arguments: ["", ":", ":80", "host", "host:", "host:0", "host:65536", "host:-1", "host:x", "a b:80", "[]:80"])
  func `what lacks one of them is none`(text: String) {
    #expect(Address(text) == nil)
  }

  @Test func `a list is separated by commas`() {
    #expect(Address.list("a:1, b:2")?.map(\.description) == ["a:1", "b:2"])
    #expect(Address.list("a:1,") == nil && Address.list("") == nil && Address.list("a:1,b") == nil)
  }
}
