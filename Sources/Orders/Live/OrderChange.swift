package import API
package import Wire

/// Something that happened to an order, as the table `changes` tells it.
package struct OrderChange: Equatable, Sendable {
  /// The order.
  package var orderID: UUID
  /// Whose it is.
  package var userID: UUID
  /// What happened. Each kind happens to an order once at most.
  package var kind: OrderEventKind
  /// The transaction that did it.
  package var transaction: UInt64

  /// A change of these parts.
  package init(orderID: UUID, userID: UUID, kind: OrderEventKind, transaction: UInt64) {
    self.orderID = orderID
    self.userID = userID
    self.kind = kind
    self.transaction = transaction
  }
}
