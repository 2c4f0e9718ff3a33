package import API
internal import EventLoop
package import Wire

/// What one follower of orders is still to be told: the changes that the feed has noted for it, and the orders that wait for
/// its stream. Both are bounded: one for whom too much waits is `behind`, forgets it all, and reads again from where it was.
/// No I/O.
package struct FollowerState {
  /// Changes that wait for the orders to be read.
  package static let changesMax = 1_024
  /// Orders that wait for the stream.
  package static let ordersMax = 256

  /// How a follower gets its orders.
  package enum Phase: Equatable, Sendable {
    /// From the database; what changes meanwhile is kept. Next: following, behind.
    case reading
    /// From the feed. Next: behind.
    case following
    /// Not at all: it has missed something, and has to read. Next: reading.
    case behind
  }

  /// An order for the stream.
  package struct Told: Equatable, Sendable {
    /// The order as it was then.
    package var order: Order
    /// Everything up to here is told with it; nil when more comes of the same moment.
    package var position: WatchPosition?
  }

  /// How it gets its orders now.
  package private(set) var phase = Phase.behind
  private var changes: [OrderChange] = []
  private var orders = FIFO<Told>()
  /// What is told already.
  private var known = TransactionSnapshot.beginning

  /// Somebody who has not read yet.
  package init() {}

  /// The database is being read, from now on.
  package mutating func readingBegan() {
    forget()
    phase = .reading
  }

  /// Everything up to `position` has been read and sent.
  package mutating func readingEnded(at position: WatchPosition) {
    guard phase == .reading else { return }
    phase = .following
    known = position.snapshot
    changes.removeAll { known.sees($0.transaction) }
  }

  /// Something happened.
  package mutating func note(_ change: OrderChange) {
    if phase == .behind || known.sees(change.transaction) && phase == .following { return }
    changes.append(change)
    if changes.count > Self.changesMax { fallBehind() }
  }

  /// Something may have happened that nobody noted.
  package mutating func fallBehind() {
    forget()
    phase = .behind
  }

  /// The orders that have to be looked at, because of the changes that were noted.
  package var changedOrders: [UUID] { phase == .following ? changes.map(\.orderID) : [] }

  /// Takes over the orders that changed, as they stood at `position`, up to which every change has been noted.
  package mutating func tell(_ histories: [UUID: OrderHistory], at position: WatchPosition) {
    guard phase == .following else { return }
    var kinds: [UUID: [OrderEventKind]] = [:]
    var ids: [UUID] = []
    for change in changes {
      if kinds[change.orderID] == nil { ids.append(change.orderID) }
      kinds[change.orderID, default: []].append(change.kind)
    }
    changes = []
    known = position.snapshot
    let states = ids.flatMap { id in histories[id]?.states(after: kinds[id] ?? []) ?? [] }
    for (index, order) in states.enumerated() {
      orders.append(Told(order: order, position: index == states.count - 1 ? position : nil))
    }
    if orders.count > Self.ordersMax { fallBehind() }
  }

  /// The next order for the stream; nil when there is none.
  package mutating func next() -> Told? { orders.popFirst() }

  private mutating func forget() {
    changes = []
    orders = FIFO()
    known = .beginning
  }
}
