package import EventLoop
internal import Messaging
internal import Postgres
internal import RPC
package import Service
internal import Wire

/// Tells those who follow orders what changes, whichever process changes it. While anybody follows, it looks at the table
/// `changes` whenever this process has written there, and often enough for what others write.
// Confined to its event loop; every entry checks it.
package final class ChangeFeed: @unchecked Sendable {
  /// How late a change is noticed that another process made.
  private static let interval: Duration = .milliseconds(50)
  /// The time between two looks, when one change follows the other.
  private static let spacing: Duration = .milliseconds(5)
  /// After that, what lay in `changes` may be gone: less than ``ChangeLog/keepTime``, for clocks and for this process's own
  /// delays.
  private static let gapMax = ChangeLog.keepTime - .milliseconds(500)
  /// The pauses between attempts while the database does not answer.
  private static let pauses: ClosedRange<Duration> = .milliseconds(50) ... .seconds(1)
  /// How long one look may take.
  static let patience: Duration = .seconds(2)
  /// Orders that are read in one round, and those of one follower more.
  private static let ordersMax = 10_000
  /// Those who may follow at once.
  private static let followersMax = 65_536

  private let loop: EventLoop
  private let store: OrderStore
  private let log: Log
  private let wake: LoopSignal
  private var followers: [WatchTarget: [Follower]] = [:]
  /// Those who have changes for the next round.
  private var waiting: [Follower] = []
  /// Up to where changes have been noted; nil while nobody follows.
  private(set) var position: WatchPosition?
  /// When the look began that led to `position`.
  private var lookedAt = LoopInstant(nanoseconds: 0)
  private var isStopping = false
  /// Whether those who follow are sent away.
  private(set) var isEnding = false
  /// Those who follow.
  package private(set) var count = 0
  /// How often somebody had to read again, because it was too slow or something could have been missed.
  package private(set) var lapses = 0

  /// A feed of the orders in `store`.
  package init(loop: EventLoop, store: OrderStore, log: Log) {
    self.loop = loop
    self.store = store
    self.log = log
    wake = LoopSignal(loop: loop)
  }

  /// The feed as a part of the process.
  package var part: Part {
    Part(
      "change feed", run: { await self.run() },
      beginGracefulShutdown: {
        self.isStopping = true
        self.endFollowing()
      })
  }

  /// This process has changed orders.
  package func changed() {
    loop.preconditionCurrent()
    if count > 0 { wake.signal() }
  }

  /// Sends away who follows, and takes nobody more.
  package func endFollowing() {
    loop.preconditionCurrent()
    isEnding = true
    wake.signal()
    forAll { $0.signal.signal() }
  }

  /// Runs `body` with somebody who follows `target`.
  ///
  /// - Throws: ``RPCError`` RESOURCE_EXHAUSTED when too many follow already; what `body` throws.
  package func following<Result>(
    _ target: WatchTarget, _ body: (Follower) async throws -> Result
  ) async throws -> Result {
    loop.preconditionCurrent()
    guard count < Self.followersMax else {
      throw RPCError(.resourceExhausted, "too many follow orders here already", reason: "TOO_MANY_WATCHERS")
    }
    let follower = Follower(target, feed: self, loop: loop)
    followers[target, default: []].append(follower)
    count += 1
    if position == nil { wake.signal() }
    defer { remove(follower) }
    return try await body(follower)
  }

  private func remove(_ follower: Follower) {
    count -= 1
    followers[follower.target]?.removeAll { $0 === follower }
    if followers[follower.target]?.isEmpty == true { followers[follower.target] = nil }
    follower.state.fallBehind()
  }

  /// Somebody has read: changes that it noted meanwhile are told in the next round.
  func hasRead(_ follower: Follower) {
    if follower.state.changedOrders.isEmpty { return }
    enqueue(follower)
    wake.signal()
  }

  /// Somebody reads again.
  func lapsed() { lapses += 1 }

  private func enqueue(_ follower: Follower) {
    if follower.isWaiting { return }
    follower.isWaiting = true
    waiting.append(follower)
  }

  private func forAll(_ body: (Follower) -> Void) {
    for follower in followers.values.joined() { body(follower) }
  }

  // MARK: Looking

  /// Looks for changes until the process ends, or the task is cancelled.
  func run() async {
    var pause = Self.pauses.lowerBound
    while !isStopping, !Task.isCancelled {
      if count == 0 {
        (position, waiting) = (nil, [])
        await wake.wait()
        continue
      }
      let began = loop.now
      do {
        try await look()
        pause = Self.pauses.lowerBound
        await wake.wait(atMost: Self.interval)
        let rest = began + Self.spacing - loop.now
        if rest > .zero { try await loop.sleep(for: rest) }
      } catch {
        if Task.isCancelled { return }
        log.warning("changes of orders cannot be read", [.error: String(reflecting: error)])
        if !isStopping { try? await loop.sleep(for: pause) }
        pause = min(pause * 2, Self.pauses.upperBound)
      }
    }
  }

  /// One round: notes what has changed since the last, and tells it, as it stood at one moment.
  private func look() async throws {
    let began = loop.now
    let last = position
    var told: [Follower] = []
    let (present, histories): (WatchPosition, [UUID: OrderHistory])
    do {
      (present, histories) = try await store.news(since: last, deadline: began + Self.patience) { present, changes in
        if let last, isWhole(since: last, present) { note(changes) } else { lapse() }
        let (followers, orders) = takeWaiting()
        told = followers
        return Array(orders)
      }
    } catch {
      for follower in told { enqueue(follower) }
      throw error
    }
    position = present
    lookedAt = began
    if last == nil { forAll { $0.signal.signal() } }
    for follower in told {
      follower.state.tell(histories, at: present)
      follower.signal.signal()
    }
  }

  /// Whether all that happened since `last` can be told from `changes`.
  private func isWhole(since last: WatchPosition, _ present: WatchPosition) -> Bool {
    last.isBefore(present) && loop.now - lookedAt < Self.gapMax
  }

  private func note(_ changes: [OrderChange]) {
    for change in changes {
      for target in [WatchTarget.order(change.orderID), .user(change.userID)] {
        for follower in followers[target] ?? [] {
          follower.state.note(change)
          if follower.state.phase == .following { enqueue(follower) }
        }
      }
    }
  }

  /// Something may have been missed: everybody reads again.
  private func lapse() {
    forAll {
      $0.state.fallBehind()
      $0.signal.signal()
    }
  }

  /// Those who have waited longest, and the orders that they are to be told; the rest waits for the next round.
  private func takeWaiting() -> (followers: [Follower], orders: Set<UUID>) {
    var orders: Set<UUID> = []
    let count = waiting.firstIndex { follower in
      if orders.count >= Self.ordersMax { return true }
      orders.formUnion(follower.state.changedOrders)
      return false
    }
    let taken = Array(waiting.prefix(count ?? waiting.count))
    waiting.removeFirst(taken.count)
    for follower in taken { follower.isWaiting = false }
    if !waiting.isEmpty { wake.signal() }
    return (taken, orders)
  }
}
