package import EventLoop
package import Wire

/// Tells those who wait for an order's result that it came to this process. It may come to another, so whoever waits looks
/// at the order from time to time as well.
// Confined to its event loop; every entry checks it.
package final class OrderWatch: @unchecked Sendable {
  /// One who waits.
  // Confined to the watch's event loop.
  package final class Watcher: @unchecked Sendable {
    let orderID: UUID
    let signal: LoopSignal

    init(orderID: UUID, loop: EventLoop) {
      self.orderID = orderID
      signal = LoopSignal(loop: loop)
    }
  }

  /// Those who may wait at once: each of them looks at its order about once a second.
  private static let watchersMax = 4_096

  private let loop: EventLoop
  private var watchers: [UUID: [Watcher]] = [:]
  private var count = 0

  /// A watch that nobody uses yet.
  package init(loop: EventLoop) { self.loop = loop }

  /// Whether nobody waits.
  var isIdle: Bool { watchers.isEmpty && count == 0 }

  /// Runs `body` with a watcher of an order, which misses no result from now on; with nil when too many wait already.
  package func watching<Result>(
    _ orderID: UUID, _ body: (Watcher?) async throws -> Result
  ) async rethrows -> Result {
    loop.preconditionCurrent()
    guard count < Self.watchersMax else { return try await body(nil) }
    let watcher = Watcher(orderID: orderID, loop: loop)
    watchers[orderID, default: []].append(watcher)
    count += 1
    defer { remove(watcher) }
    return try await body(watcher)
  }

  /// The results of these orders are written down.
  package func settled(_ orderIDs: some Sequence<UUID>) {
    loop.preconditionCurrent()
    if watchers.isEmpty { return }
    for orderID in orderIDs {
      for watcher in watchers[orderID] ?? [] { watcher.signal.signal() }
    }
  }

  private func remove(_ watcher: Watcher) {
    count -= 1
    watchers[watcher.orderID]?.removeAll { $0 === watcher }
    if watchers[watcher.orderID]?.isEmpty == true { watchers[watcher.orderID] = nil }
  }
}

extension OrderWatch.Watcher {
  /// Returns when a result came, after `timeout`, or when the task is cancelled.
  package func wait(atMost timeout: Duration) async { await signal.wait(atMost: timeout) }
}
