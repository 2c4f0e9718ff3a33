import HTTP
import Testing

@testable import Gateway

@Suite struct ClientAddressTests {
  private static func key(_ peer: String, hops: Int = 0, _ forwarded: String...) throws -> String {
    let fields = forwarded.map { ("X-Forwarded-For", $0) }
    return ClientAddress(proxyHops: hops).key(of: try HTTPRequest(.get, "/", fields: fields, peer: peer))
  }

  @Test func `addresses are told apart without their ports`() throws {
    #expect(try Self.key("127.0.0.1:53122") == "127.0.0.1")
    #expect(try Self.key("[2001:db8:1:2:3:4:5:6]:80") == Self.key("[2001:db8:1:2:ffff::1]:99"))
    #expect(try Self.key("[2001:db8:1:2::1]:80") != Self.key("[2001:db8:1:3::1]:80"))
    #expect(try Self.key("[::ffff:10.0.0.1]:80") == "10.0.0.1")
  }

  @Test func `a port that a proxy says makes nobody another`() throws {
    #expect(try Self.key("10.0.0.1:1", hops: 1, "1.1.1.1:4711") == "1.1.1.1")
    for hop in ["2001:db8:1:2::9", "[2001:db8:1:2::9]", "[2001:db8:1:2:1111:2222:3333:4444]:65535"] {
      #expect(try Self.key("10.0.0.1:1", hops: 1, hop) == Self.key("[2001:db8:1:2::1]:80"), "\(hop)")
    }
    for odd in ["[", "[]", ":", "[::1", "]:1"] { _ = try Self.key("10.0.0.1:1", hops: 1, odd) }
  }

  @Test func `what proxies say counts as far as there are proxies`() throws {
    #expect(try Self.key("10.0.0.1:1", "1.1.1.1") == "10.0.0.1", "a client's own word")
    #expect(try Self.key("10.0.0.1:1", hops: 1, "6.6.6.6, 1.1.1.1") == "1.1.1.1")
    #expect(try Self.key("10.0.0.1:1", hops: 2, "6.6.6.6, 1.1.1.1", "10.0.0.2") == "1.1.1.1")
    #expect(try Self.key("10.0.0.1:1", hops: 2, "1.1.1.1") == "10.0.0.1")
    #expect(try Self.key("10.0.0.1:1", hops: 1) == "10.0.0.1")
    #expect(try Self.key("10.0.0.1:1", hops: 1, String(repeating: "a", count: 1_000)) == "10.0.0.1")
    #expect(try Self.key("10.0.0.1:1", hops: 1, "2001:db8:1:2::9") == Self.key("[2001:db8:1:2::1]:80"))
  }
}
