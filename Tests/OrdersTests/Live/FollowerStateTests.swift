import API
import Testing
import Wire

@testable import Orders

@Suite struct FollowerStateTests {
  private static let order = UUID.random()

  private static func position(_ text: String) -> WatchPosition {
    WatchPosition(timeline: 1, snapshot: TransactionSnapshot(text)!)
  }

  private static func change(
    _ transaction: UInt64, _ kind: OrderEventKind = .created, of id: UUID = order
  ) -> OrderChange {
    OrderChange(orderID: id, userID: .zero, kind: kind, transaction: transaction)
  }

  private static func history(_ status: OrderStatus, of id: UUID = order) -> [UUID: OrderHistory] {
    [id: OrderHistory(Order(id: id, status: status))]
  }

  /// Somebody who has read up to transaction 10.
  private static func follower() -> FollowerState {
    var state = FollowerState()
    state.readingBegan()
    state.readingEnded(at: position("10:10:"))
    return state
  }

  private static func all(_ state: inout FollowerState) -> [FollowerState.Told] {
    var told: [FollowerState.Told] = []
    while let next = state.next() { told.append(next) }
    return told
  }

  @Test func `who has not read is told nothing`() {
    var state = FollowerState()
    state.note(Self.change(1))
    #expect(state.phase == .behind && state.changedOrders.isEmpty)
    state.tell(Self.history(.new), at: Self.position("5:5:"))
    #expect(state.next() == nil)
  }

  @Test func `what changes while it reads is told afterwards, unless it was read`() {
    var state = FollowerState()
    state.readingBegan()
    state.note(Self.change(9))
    state.note(Self.change(10, .finished))
    state.note(Self.change(12, of: UUID.random()))
    #expect(state.changedOrders.isEmpty)
    state.readingEnded(at: Self.position("10:13:10"))
    #expect(state.phase == .following && state.changedOrders == [Self.order])
    state.tell(Self.history(.finished), at: Self.position("14:14:"))
    #expect(
      Self.all(&state) == [.init(order: Order(id: Self.order, status: .finished), position: Self.position("14:14:"))])
  }

  @Test func `changes of one moment are told in order, and the position comes with the last`() {
    var state = Self.follower()
    let other = UUID.random()
    state.note(Self.change(11))
    state.note(Self.change(12, of: other))
    state.note(Self.change(13, .finished))
    #expect(state.changedOrders == [Self.order, other, Self.order])
    state.tell(
      Self.history(.finished).merging(Self.history(.new, of: other)) { first, _ in first }, at: Self.position("14:14:"))
    let told = Self.all(&state)
    #expect(told.map(\.order.id) == [Self.order, Self.order, other])
    #expect(told.map(\.order.status) == [.new, .finished, .new])
    #expect(told.map(\.position) == [nil, nil, Self.position("14:14:")])
    #expect(state.changedOrders.isEmpty)
  }

  @Test func `what has been told is not told again`() {
    var state = Self.follower()
    state.note(Self.change(9))
    state.note(Self.change(11))
    state.tell(Self.history(.new), at: Self.position("12:12:"))
    _ = Self.all(&state)
    state.note(Self.change(11))
    #expect(state.changedOrders.isEmpty)
  }

  @Test func `an order that is gone is passed over`() {
    var state = Self.follower()
    state.note(Self.change(11))
    state.tell([:], at: Self.position("12:12:"))
    #expect(state.next() == nil && state.phase == .following)
  }

  @Test func `too many orders that wait for the stream make it fall behind and hold nothing`() {
    var state = Self.follower()
    for number in 0...FollowerState.ordersMax {
      state.note(Self.change(UInt64(11 + number)))
      state.tell(Self.history(.new), at: Self.position("\(12 + number):\(12 + number):"))
    }
    #expect(state.phase == .behind && state.next() == nil)
    state.note(Self.change(5_000))
    #expect(state.changedOrders.isEmpty)
    state.readingBegan()
    state.readingEnded(at: Self.position("6000:6000:"))
    #expect(state.phase == .following)
  }

  @Test func `too many changes while it reads make it read again`() {
    var state = FollowerState()
    state.readingBegan()
    for number in 0...FollowerState.changesMax { state.note(Self.change(UInt64(11 + number))) }
    state.readingEnded(at: Self.position("20:20:"))
    #expect(state.phase == .behind && state.changedOrders.isEmpty)
  }

  @Test func `a gap while it reads makes it read again`() {
    var state = FollowerState()
    state.readingBegan()
    state.fallBehind()
    state.readingEnded(at: Self.position("20:20:"))
    #expect(state.phase == .behind)
  }
}
