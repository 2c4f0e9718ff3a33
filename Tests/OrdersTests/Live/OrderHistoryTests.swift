import API
import Testing
import Wire

@testable import Orders

@Suite struct OrderHistoryTests {
  private static func order(_ status: OrderStatus, reason: OrderReason? = nil, updated: Int64, cancelled: Int64? = nil)
    -> Order
  {
    Order(
      id: .random(), userId: .random(), amount: 5, currency: "RUB", description: "d", status: status, reason: reason,
      createdAt: Timestamp(microseconds: 10), updatedAt: Timestamp(microseconds: updated),
      cancelRequestedAt: cancelled.map { Timestamp(microseconds: $0) })
  }

  /// The states as `STATUS updatedAt cancelRequestedAt`.
  private static func states(_ history: OrderHistory, _ kinds: [OrderEventKind]) -> [String] {
    history.states(after: kinds).map { state in
      #expect(state.id == history.order.id && state.amount == 5 && state.createdAt == history.order.createdAt)
      let cancelled = state.cancelRequestedAt.map { " \($0.microseconds)" } ?? ""
      return "\(state.status)".lowercased() + " \(state.updatedAt.microseconds)\(cancelled)"
        + (state.reason.map { " \($0)" } ?? "")
    }
  }

  @Test func `each change at once gives each state, and the last is the order`() {
    let refunded = OrderHistory(
      Self.order(.refunded, updated: 40, cancelled: 30), finishedAt: Timestamp(microseconds: 20))
    #expect(
      Self.states(refunded, [.created, .finished, .cancelRequested, .refunded])
        == ["new 10", "finished 20", "finished 20 30", "refunded 40 30"])
    // In whatever order they are told.
    #expect(Self.states(refunded, [.refunded, .cancelRequested]) == ["finished 20 30", "refunded 40 30"])
    #expect(Self.states(refunded, [.refunded]) == ["refunded 40 30"])
    let cancelled = OrderHistory(Self.order(.cancelled, reason: .cancelledByUser, updated: 40, cancelled: 30))
    #expect(
      Self.states(cancelled, [.created, .cancelRequested, .cancelled])
        == ["new 10", "new 10 30", "cancelled 40 30 CANCELLED_BY_USER"])
    #expect(Self.states(OrderHistory(Self.order(.new, updated: 10)), [.created]) == ["new 10"])
  }

  @Test func `a change that is told twice, or that the order does not know, adds nothing`() {
    let finished = OrderHistory(Self.order(.finished, updated: 20))
    #expect(Self.states(finished, [.finished, .finished]) == ["finished 20"])
    #expect(Self.states(finished, [.finished, .refunded]) == ["finished 20"])
    #expect(Self.states(finished, []) == ["finished 20"])
  }
}
