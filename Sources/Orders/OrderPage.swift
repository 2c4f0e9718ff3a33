package import API
package import RPC
package import Wire

/// Where a page of orders begins: behind the last order of the page before, newest first.
///
/// A position in (createdAt, id) stays where it is whatever is added, so that pages neither skip nor repeat an order.
package struct OrderPage: Equatable, Sendable {
  /// The page's size when none is asked for.
  package static let sizeDefault = 50
  /// The times that orders can have: 1970 to the end of the year 9999.
  private static let times: ClosedRange<Int64> = 0...253_402_300_799_999_999

  /// Orders come before this time, or at it and below `id`.
  package var before: Timestamp
  /// See `before`.
  package var id: UUID
  /// The most orders of the page.
  package var size: Int

  /// The page that `request` asks for.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when the token is not one of ours.
  package init(_ request: ListOrdersRequest) throws(RPCError) {
    size = request.pageSize.map { Int($0) } ?? Self.sizeDefault
    let token = request.pageToken ?? ""
    if token.isEmpty {
      before = Timestamp(microseconds: Self.times.upperBound)
      id = UUID(high: .max, low: .max)
      return
    }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let time = Int64(parts[0], radix: 36), Self.times.contains(time), let id = UUID(parts[1])
    else {
      throw .invalid([
        FieldViolation(pointer: "/pageToken", detail: "is not a token of this list; leave it out for the first page")
      ])
    }
    before = Timestamp(microseconds: time)
    self.id = id
  }

  /// The token of the page behind `order`.
  package static func token(after order: Order) -> String {
    "\(String(order.createdAt.microseconds, radix: 36)).\(order.id)"
  }
}
