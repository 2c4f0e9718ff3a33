import API
import Idempotency
import Messaging
import RPC
import Testing
import Wire

@testable import Orders

@Suite struct OrderRulesTests {
  private static let now = Timestamp(microseconds: 1_767_225_600_000_000)
  private static let request = CreateOrderRequest(userId: UUID(high: 1, low: 2), amount: 10)

  private static func newOrder(
    _ metadata: Metadata = [:], _ change: (inout CreateOrderRequest) -> Void = { _ in }
  ) throws(RPCError) -> NewOrder {
    var request = request
    change(&request)
    return try OrderRules.newOrder(request, metadata: metadata, currency: "RUB", now: now, random: 7)
  }

  private static func refusal(_ metadata: Metadata = [:], _ change: (inout CreateOrderRequest) -> Void) -> RPCError? {
    do throws(RPCError) { _ = try newOrder(metadata, change) } catch { return error }
    return nil
  }

  @Test func `an order is in the shop's currency and gets an id unless it says otherwise`() throws {
    let order = try Self.newOrder()
    #expect(order.currency == "RUB" && order.description.isEmpty && order.idempotency == nil)
    #expect(order.id.high >> 16 == UInt64(Self.now.microseconds / 1_000), "a UUIDv7 of the moment")
    let own = try Self.newOrder {
      $0.id = UUID(high: 3, low: 4)
      $0.currency = "USD"
      $0.description = "two cups"
    }
    #expect(own.id == UUID(high: 3, low: 4) && own.currency == "USD" && own.description == "two cups")
  }

  @Test func `what a database or another service could not take is refused by name`() {
    #expect(Self.refusal { $0.description = "a\u{0}b" }?.violations.map(\.pointer) == ["/description"])
    #expect(Self.refusal { $0.id = .zero }?.violations.map(\.pointer) == ["/id"])
  }

  @Test func `an Idempotency-Key is kept with the request that came under it`() throws {
    let order = try Self.newOrder(["idempotency-key": "k-1"])
    #expect(
      order.idempotency
        == IdempotentRequest(IdempotencyKey("k-1", method: "CreateOrder"), request: Self.request.encoded()))
    for key in ["", " ", "ключ", "a\u{0}", String(repeating: "k", count: 256)] {
      #expect(Self.refusal(["idempotency-key": key]) { _ in }?.reason == "IDEMPOTENCY_KEY_INVALID")
    }
  }

  @Test func `a key is its principal's own`() throws {
    let order = try Self.newOrder(["idempotency-key": "k-1", "principal": "ann"])
    #expect(
      order.idempotency?.key == IdempotencyKey("k-1", method: "CreateOrder", principal: Principal(subject: "ann")))
  }

  @Test func `a trace goes along, and what is none does not`() throws {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    #expect(try Self.newOrder(["traceparent": trace]).traceparent == trace)
    #expect(try Self.newOrder(["traceparent": "00-\r\nNats-Expected-Stream: X"]).traceparent == nil)
  }

  @Test func `a repeat is the same order in all that its taker chose`() throws {
    let new = try Self.newOrder { $0.id = UUID(high: 3, low: 4) }
    var present = new.order
    (present.status, present.updatedAt) = (.finished, Timestamp(microseconds: 0))
    #expect(OrderRules.isRepeat(new, of: present))
    for change in [
      { $0.userId = .zero }, { $0.amount += 1 }, { $0.currency = "USD" }, { $0.description = "x" }, { $0.id = .zero },
    ] as [(inout Order) -> Void] {
      var other = present
      change(&other)
      #expect(!OrderRules.isRepeat(new, of: other))
    }
  }

  @Test func `every outcome of a charge settles its order`() {
    let expected: [ChargeOutcome: (OrderStatus, OrderReason?)] = [
      .charged: (.finished, nil), .insufficientFunds: (.cancelled, .insufficientFunds),
      .noAccount: (.cancelled, .noAccount), .currencyMismatch: (.cancelled, .currencyMismatch),
      .cancelled: (.cancelled, .cancelledByUser),
    ]
    for outcome in ChargeOutcome.allCases {
      let (status, reason) = OrderRules.settlement(of: OrderSettled(outcome: outcome))
      #expect(status == expected[outcome]?.0 && reason == expected[outcome]?.1)
      // Only what was taken can go back.
      let refunded = OrderRules.settlement(of: OrderSettled(outcome: outcome, refundedAt: Self.now))
      #expect(refunded.status == (outcome == .charged ? .refunded : .cancelled) && refunded.reason == reason)
    }
  }

  @Test func `an order moves forward only, from each status to each other`() {
    let moves: [OrderStatus: [OrderStatus]] = [
      .new: [.finished, .cancelled, .refunded], .finished: [.refunded], .cancelled: [], .refunded: [],
    ]
    for status in OrderStatus.allCases {
      for next in OrderStatus.allCases {
        #expect(OrderRules.moves(status, to: next) == moves[status]?.contains(next), "\(status) to \(next)")
      }
    }
  }

  @Test func `of the events of one order the one that knows of the refund counts, wherever it stands`() {
    func event(_ order: UInt64, refundedAt: Timestamp? = nil) -> OrderSettled {
      OrderSettled(
        orderId: UUID(high: 9, low: order), outcome: .charged, settledAt: Self.now, refundedAt: refundedAt)
    }
    let events = [event(3), event(1), event(2), event(1, refundedAt: Self.now), event(3), event(1)]
    for _ in 0..<50 {
      let latest = OrderRules.latest(events.shuffled())
      #expect(latest == [event(1, refundedAt: Self.now), event(2), event(3)])
    }
    #expect(OrderRules.latest([]).isEmpty)
  }

  private static func order(
    _ status: OrderStatus, reason: OrderReason? = nil, created: Int64 = 0, updated: Int64, cancelRequested: Int64? = nil
  ) -> Order {
    Order(
      status: status, reason: reason, createdAt: Timestamp(microseconds: created),
      updatedAt: Timestamp(microseconds: updated), cancelRequestedAt: cancelRequested.map(Timestamp.init(microseconds:))
    )
  }

  @Test func `a cancellation is asked for once, and only where there is something to cancel`() {
    let time = Timestamp(microseconds: 50)
    for status in OrderStatus.allCases {
      let order = Self.order(status, updated: 10)
      let requesting = OrderRules.requestingCancel(of: order, at: time)
      let isOpen = status == .new || status == .finished
      #expect((requesting != nil) == isOpen, "\(status)")
      #expect(!OrderRules.isBeingCancelled(order))
      guard let requesting else { continue }
      #expect(requesting.cancelRequestedAt == time && requesting.status == status)
      #expect(OrderRules.isBeingCancelled(requesting))
      #expect(OrderRules.requestingCancel(of: requesting, at: time) == nil)
    }
    // A clock that is behind that of the process which took the order.
    let later = OrderRules.requestingCancel(of: Self.order(.new, created: 90, updated: 90), at: time)
    #expect(later?.cancelRequestedAt == Timestamp(microseconds: 90))
    for status in [OrderStatus.cancelled, .refunded] {
      #expect(!OrderRules.isBeingCancelled(Self.order(status, updated: 20, cancelRequested: 10)))
    }
  }

  @Test func `a timeline tells every event once, in the order of time`() {
    func timeline(_ order: Order, finished: Int64? = nil) -> [String] {
      OrderRules.timeline(of: order, finishedAt: finished.map(Timestamp.init(microseconds:))).map {
        "\($0.kind) \($0.at.microseconds)" + ($0.reason.map { " \($0)" } ?? "")
      }
    }
    #expect(timeline(Self.order(.new, updated: 0)) == ["CREATED 0"])
    #expect(timeline(Self.order(.new, updated: 0, cancelRequested: 5)) == ["CREATED 0", "CANCEL_REQUESTED 5"])
    #expect(timeline(Self.order(.finished, updated: 7)) == ["CREATED 0", "FINISHED 7"])
    #expect(
      timeline(Self.order(.finished, updated: 7, cancelRequested: 5)) == [
        "CREATED 0", "CANCEL_REQUESTED 5", "FINISHED 7",
      ])
    #expect(
      timeline(Self.order(.cancelled, reason: .cancelledByUser, updated: 5, cancelRequested: 5)) == [
        "CREATED 0", "CANCEL_REQUESTED 5", "CANCELLED 5 CANCELLED_BY_USER",
      ])
    #expect(
      timeline(Self.order(.cancelled, reason: .noAccount, updated: 4, cancelRequested: 5)) == [
        "CREATED 0", "CANCELLED 4 NO_ACCOUNT", "CANCEL_REQUESTED 5",
      ])
    #expect(
      timeline(Self.order(.refunded, updated: 9, cancelRequested: 8), finished: 3) == [
        "CREATED 0", "FINISHED 3", "CANCEL_REQUESTED 8", "REFUNDED 9",
      ])
    // All at one moment: as they can only have happened.
    #expect(
      timeline(Self.order(.refunded, updated: 0, cancelRequested: 0), finished: 0) == [
        "CREATED 0", "CANCEL_REQUESTED 0", "FINISHED 0", "REFUNDED 0",
      ])
  }

  @Test func `a new order and its event say the same`() throws {
    let new = try Self.newOrder(["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
    #expect(new.order.status == .new && new.order.reason == nil && new.order.updatedAt == new.createdAt)
    let event = new.event
    #expect(event.id == "\(new.id)" && event.orderID == new.id && event.userID == new.userID)
    #expect(event.type == "gozon.events.OrderCreated" && event.subject.hasPrefix("orders.created."))
    #expect(event.traceparent == new.traceparent)
    let read = try OrderCreated(decoding: event.payload)
    #expect(read == new.created && read.orderId == new.id && read.amount == 10 && read.currency == "RUB")
  }
}
