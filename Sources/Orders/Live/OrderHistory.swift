package import API
package import Wire

/// An order, with what is needed to tell how it came to be as it is. No I/O.
package struct OrderHistory: Equatable, Sendable {
  /// The order as it stands.
  package var order: Order
  /// When an order that is REFUNDED was paid.
  package var finishedAt: Timestamp?

  /// The history of `order`.
  package init(_ order: Order, finishedAt: Timestamp? = nil) {
    self.order = order
    self.finishedAt = finishedAt
  }

  /// The order after each of `kinds`, which are the last things that happened to it; the last state is the present one.
  package func states(after kinds: [OrderEventKind]) -> [Order] {
    if kinds.count < 2 { return [order] }
    let events = OrderRules.timeline(of: order, finishedAt: finishedAt)
    let news = events.filter { kinds.contains($0.kind) }
    return news.indices.dropLast().map { index in
      let later = news[(index + 1)...]
      return state(after: events.filter { !later.contains($0) })
    } + [order]
  }

  private func state(after events: [OrderEvent]) -> Order {
    var state = order
    (state.status, state.reason, state.updatedAt, state.cancelRequestedAt) = (.new, nil, order.createdAt, nil)
    for event in events {
      switch event.kind {
      case .created: break
      case .cancelRequested: state.cancelRequestedAt = event.at
      case .finished: (state.status, state.updatedAt) = (.finished, event.at)
      case .cancelled: (state.status, state.reason, state.updatedAt) = (.cancelled, event.reason, event.at)
      case .refunded: (state.status, state.updatedAt) = (.refunded, event.at)
      }
    }
    return state
  }
}
