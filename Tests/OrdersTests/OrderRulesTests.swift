import API
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
    return try OrderRules.newOrder(request, metadata: metadata, currency: "RUB", now: now)
  }

  private static func refusal(_ metadata: Metadata = [:], _ change: (inout CreateOrderRequest) -> Void) -> RPCError? {
    do throws(RPCError) { _ = try newOrder(metadata, change) } catch { return error }
    return nil
  }

  @Test func `an order is in the shop's currency and gets an id unless it says otherwise`() throws {
    let order = try Self.newOrder()
    #expect(order.currency == "RUB" && order.description.isEmpty && !order.hasOwnID && order.idempotency == nil)
    #expect(order.id.high >> 16 == UInt64(Self.now.microseconds / 1_000), "a UUIDv7 of the moment")
    let own = try Self.newOrder {
      $0.id = UUID(high: 3, low: 4)
      $0.currency = "USD"
      $0.description = "two cups"
    }
    #expect(own.id == UUID(high: 3, low: 4) && own.hasOwnID && own.currency == "USD" && own.description == "two cups")
  }

  @Test func `what a database or another service could not take is refused by name`() {
    #expect(Self.refusal { $0.description = "a\u{0}b" }?.violations.map(\.pointer) == ["/description"])
    #expect(Self.refusal { $0.id = .zero }?.violations.map(\.pointer) == ["/id"])
  }

  @Test func `an Idempotency-Key is kept with the request that came under it`() throws {
    let order = try Self.newOrder(["idempotency-key": "k-1"])
    #expect(order.idempotency == .init(key: "k-1", request: Self.request.encoded()))
    for key in ["", " ", "ключ", "a\u{0}", String(repeating: "k", count: 256)] {
      #expect(Self.refusal(["idempotency-key": key]) { _ in }?.reason == "IDEMPOTENCY_KEY_INVALID")
    }
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
    for outcome in ChargeOutcome.allCases {
      let (status, reason) = OrderRules.settlement(of: outcome)
      #expect(status == (outcome == .charged ? .finished : .cancelled) && (reason == nil) == (outcome == .charged))
    }
    #expect(OrderRules.settlement(of: .insufficientFunds).reason == .insufficientFunds)
    #expect(OrderRules.settlement(of: .noAccount).reason == .noAccount)
    #expect(OrderRules.settlement(of: .currencyMismatch).reason == .currencyMismatch)
  }

  @Test func `a new order and its event say the same`() throws {
    let new = try Self.newOrder(["traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
    #expect(new.order.status == .new && new.order.reason == nil && new.order.updatedAt == new.createdAt)
    let event = new.event
    #expect(event.id == new.id && event.orderID == new.id && event.userID == new.userID)
    #expect(event.type == "gozon.events.OrderCreated" && event.subject.hasPrefix("orders.created."))
    #expect(event.traceparent == new.traceparent)
    let read = try OrderCreated(decoding: event.payload)
    #expect(read == new.created && read.orderId == new.id && read.amount == 10 && read.currency == "RUB")
  }
}
