package import API
package import Wire

/// What orders asks about an order.
package enum PaymentRequest: Sendable, Equatable {
  /// It is to be paid.
  case charge(OrderCreated)
  /// It is to be cancelled: never to be charged, or the money goes back.
  case cancel(OrderCancelled)

  /// The order.
  package var orderID: UUID {
    switch self {
    case .charge(let order): order.orderId
    case .cancel(let order): order.orderId
    }
  }

  /// Who pays.
  package var userID: UUID {
    switch self {
    case .charge(let order): order.userId
    case .cancel(let order): order.userId
    }
  }

  /// The name of the message that asks it.
  package var type: String {
    switch self {
    case .charge: OrderCreated.fullName
    case .cancel: OrderCancelled.fullName
    }
  }

  /// Why it can never be decided, whatever the accounts; nil when it can.
  package var refusal: String? {
    switch self {
    case .charge(let order): Charge.refusal(amount: order.amount, currency: order.currency)
    case .cancel(let order): Charge.refusal(amount: order.amount, currency: order.currency)
    }
  }
}
