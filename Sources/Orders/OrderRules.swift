package import API
internal import Idempotency
package import RPC
package import Wire

/// What orders may be and how they move on. No I/O.
package enum OrderRules {
  /// The order that `request` asks for.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT for what the schema's marks cannot say.
  package static func newOrder(
    _ request: CreateOrderRequest, metadata: Metadata, currency: String, now: Timestamp, random: UInt64
  ) throws(RPCError) -> NewOrder {
    let description = request.description ?? ""
    if description.utf8.contains(0) {
      throw .invalid([FieldViolation(pointer: "/description", detail: "must not contain the character U+0000")])
    }
    if request.id == .zero {
      throw .invalid([FieldViolation(pointer: "/id", detail: "must not be the nil UUID; leave it out to get one made")])
    }
    return NewOrder(
      id: request.id ?? .v7(now, random: random), userID: request.userId, amount: request.amount,
      currency: request.currency ?? currency, description: description, createdAt: now,
      idempotency: try IdempotentRequest(request, of: "CreateOrder", metadata), traceparent: metadata.traceparent)
  }

  /// Whether `order` is what `new` asks for, so that asking again is a repeat and no conflict.
  package static func isRepeat(_ new: NewOrder, of order: Order) -> Bool {
    order.id == new.id && order.userId == new.userID && order.amount == new.amount
      && order.currency == new.currency && order.description == new.description
  }

  /// Where an order stands, and why, according to what became of its charge.
  package static func settlement(
    of event: OrderSettled
  ) -> (status: OrderStatus, reason: OrderReason?) {
    switch event.outcome {
    case .charged: event.refundedAt == nil ? (.finished, nil) : (.refunded, nil)
    case .insufficientFunds: (.cancelled, .insufficientFunds)
    case .noAccount: (.cancelled, .noAccount)
    case .currencyMismatch: (.cancelled, .currencyMismatch)
    case .cancelled: (.cancelled, .cancelledByUser)
    }
  }

  /// Whether an order moves from one status to another when events say so, in whatever order they come: a payment is
  /// never undone but by its refund, and what is cancelled or refunded stays so.
  package static func moves(_ status: OrderStatus, to next: OrderStatus) -> Bool {
    switch (status, next) {
    case (.new, .finished), (.new, .cancelled), (.new, .refunded), (.finished, .refunded): true
    default: false
    }
  }

  /// One event for each order, the one that says most, in the order of the orders' ids: transactions that write the same
  /// orders wait for each other, and never in a circle.
  package static func latest(_ events: [OrderSettled]) -> [OrderSettled] {
    var latest: [OrderSettled] = []
    latest.reserveCapacity(events.count)
    for event in events.sorted(by: { $0.orderId < $1.orderId }) {
      if let last = latest.last, last.orderId == event.orderId {
        if last.refundedAt == nil { latest[latest.count - 1] = event }
      } else {
        latest.append(event)
      }
    }
    return latest
  }

  /// Whether payments has been asked to cancel the order, and has not answered.
  package static func isBeingCancelled(_ order: Order) -> Bool {
    order.cancelRequestedAt != nil && canBeCancelled(order.status)
  }

  /// The order once its cancellation is asked for at `time`; nil when that changes nothing, because it was asked for
  /// before or there is nothing to cancel.
  package static func requestingCancel(of order: Order, at time: Timestamp) -> Order? {
    guard order.cancelRequestedAt == nil, canBeCancelled(order.status) else { return nil }
    var order = order
    order.cancelRequestedAt = max(time, order.createdAt)
    return order
  }

  private static func canBeCancelled(_ status: OrderStatus) -> Bool { status == .new || status == .finished }

  /// What happened to an order, in the order of time.
  ///
  /// - Parameter finishedAt: when an order that is REFUNDED was paid.
  package static func timeline(of order: Order, finishedAt: Timestamp?) -> [OrderEvent] {
    var events = [OrderEvent(kind: .created, at: order.createdAt)]
    if let time = order.cancelRequestedAt { events.append(OrderEvent(kind: .cancelRequested, at: time)) }
    switch order.status {
    case .new: break
    case .finished: events.append(OrderEvent(kind: .finished, at: order.updatedAt))
    case .cancelled: events.append(OrderEvent(kind: .cancelled, at: order.updatedAt, reason: order.reason))
    case .refunded:
      if let finishedAt { events.append(OrderEvent(kind: .finished, at: finishedAt)) }
      events.append(OrderEvent(kind: .refunded, at: order.updatedAt))
    }
    // At the same time the kinds decide, which are numbered in the order that they happen in.
    return events.sorted { ($0.at, $0.kind.rawValue) < ($1.at, $1.kind.rawValue) }
  }
}

extension Order {
  /// The event that has it charged.
  package var created: OrderCreated {
    OrderCreated(orderId: id, userId: userId, amount: amount, currency: currency, createdAt: createdAt)
  }

  /// The event that has it cancelled.
  package var cancelled: OrderCancelled {
    OrderCancelled(
      orderId: id, userId: userId, amount: amount, currency: currency, requestedAt: cancelRequestedAt ?? createdAt)
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
