import API
import RPC
import Testing
import Wire

@testable import Orders

@Suite struct OrderPageTests {
  private static func page(_ token: String?, size: Int32? = nil) throws -> OrderPage {
    try OrderPage(ListOrdersRequest(pageSize: size, pageToken: token))
  }

  @Test func `the first page begins after every order there can be`() throws {
    for token in [nil, ""] {
      let page = try Self.page(token)
      #expect(page.size == OrderPage.sizeDefault)
      #expect(page.before > Timestamp("9999-12-31T23:59:59Z")! && page.id == UUID(high: .max, low: .max))
    }
    #expect(try Self.page(nil, size: 7).size == 7)
  }

  @Test(arguments: [0, 1, 1_767_225_600_123_456, 253_402_300_799_999_999] as [Int64])
  func `a token leads back to its order`(microseconds: Int64) throws {
    let order = Order(id: UUID(high: 5, low: 6), createdAt: Timestamp(microseconds: microseconds))
    let page = try Self.page(OrderPage.token(after: order))
    #expect(page.before == order.createdAt && page.id == order.id)
  }

  @Test(arguments: [
    ".", "x", "1.2", "1.", ".00000000-0000-0000-0000-000000000000", "1.00000000-0000-0000-0000-00000000000",
    "1.00000000-0000-0000-0000-000000000000.", "zzzzzzzzzzzzzzzz.00000000-0000-0000-0000-000000000000",
    "-1.00000000-0000-0000-0000-000000000000", "-1y2p0ij32e8e8.00000000-0000-0000-0000-000000000000",
    "1y2p0ij32e8e7.00000000-0000-0000-0000-000000000000", "\u{0}", "%00",
  ])
  func `a token of another making is refused`(token: String) {
    let error = #expect(throws: RPCError.self) { try Self.page(token) }
    #expect(error?.code == .invalidArgument && error?.violations.map(\.pointer) == ["/pageToken"])
  }
}
