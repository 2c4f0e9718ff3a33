package import API
package import RPC
package import Wire

/// What orders may be and how they move on. No I/O.
package enum OrderRules {
  /// The order that `request` asks for.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT for what the schema's marks cannot say.
  package static func newOrder(
    _ request: CreateOrderRequest, metadata: Metadata, currency: String, now: Timestamp
  ) throws(RPCError) -> NewOrder {
    let description = request.description ?? ""
    if description.utf8.contains(0) {
      throw .invalid([FieldViolation(pointer: "/description", detail: "must not contain the character U+0000")])
    }
    if request.id == .zero {
      throw .invalid([FieldViolation(pointer: "/id", detail: "must not be the nil UUID; leave it out to get one made")])
    }
    return NewOrder(
      id: request.id ?? .v7(now), hasOwnID: request.id != nil, userID: request.userId, amount: request.amount,
      currency: request.currency ?? currency, description: description, createdAt: now,
      idempotency: try metadata.idempotencyKey().map { .init(key: $0, request: request.encoded()) },
      traceparent: metadata.traceparent)
  }

  /// Whether `order` is what `new` asks for, so that asking again is a repeat and no conflict.
  package static func isRepeat(_ new: NewOrder, of order: Order) -> Bool {
    order.id == new.id && order.userId == new.userID && order.amount == new.amount
      && order.currency == new.currency && order.description == new.description
  }

  /// Where an order stands, and why, once its charge was decided.
  package static func settlement(
    of outcome: ChargeOutcome
  ) -> (status: OrderStatus, reason: OrderReason?) {
    switch outcome {
    case .charged: (.finished, nil)
    case .insufficientFunds: (.cancelled, .insufficientFunds)
    case .noAccount: (.cancelled, .noAccount)
    case .currencyMismatch: (.cancelled, .currencyMismatch)
    }
  }
}

extension NewOrder {
  /// The order as its taker sees it first.
  package var order: Order {
    Order(
      id: id, userId: userID, amount: amount, currency: currency, description: description, status: .new, reason: nil,
      createdAt: createdAt, updatedAt: createdAt)
  }

  /// The event that starts its payment.
  package var created: OrderCreated {
    OrderCreated(orderId: id, userId: userID, amount: amount, currency: currency, createdAt: createdAt)
  }
}
