internal import EventLoop
internal import RPC
internal import Wire

/// One who follows orders, as the feed knows it.
// Confined to the event loop of its feed.
package final class Follower: @unchecked Sendable {
  /// What it follows.
  let target: WatchTarget
  /// What it is still to be told.
  var state = FollowerState()
  /// Whether it has changes that wait for the feed's next round.
  var isWaiting = false
  private var hasRead = false
  /// Is set when something came for its stream, or it fell behind, or the feed changed.
  let signal: LoopSignal
  private unowned let feed: ChangeFeed
  private let loop: EventLoop

  init(_ target: WatchTarget, feed: ChangeFeed, loop: EventLoop) {
    self.target = target
    self.feed = feed
    self.loop = loop
    signal = LoopSignal(loop: loop)
  }

  /// Begins to note what changes, as soon as the feed runs, so that the database can be read.
  ///
  /// - Throws: ``RPCError`` UNAVAILABLE when it does not.
  package func beginReading() async throws {
    let end = loop.now + ChangeFeed.patience * 2
    while feed.position == nil {
      try checkEnd()
      if loop.now >= end { throw RPCError(.unavailable, "the database does not answer; try again") }
      await signal.wait(atMost: end - loop.now)
    }
    try checkEnd()
    if hasRead { feed.lapsed() }
    hasRead = true
    state.readingBegan()
  }

  /// Everything up to `position` was read and sent: from now on the feed tells.
  package func endReading(at position: WatchPosition) {
    state.readingEnded(at: position)
    feed.hasRead(self)
  }

  /// The next order, when there is one; nil when it is behind and has to read again.
  ///
  /// - Throws: ``RPCError`` UNAVAILABLE when the process ends; `CancellationError`.
  package func next() async throws -> FollowerState.Told? {
    while true {
      try checkEnd()
      if let told = state.next() { return told }
      if state.phase == .behind { return nil }
      await signal.wait()
    }
  }

  private func checkEnd() throws {
    try Task.checkCancellation()
    if feed.isEnding {
      throw RPCError(.unavailable, "the server is shutting down; begin again elsewhere", reason: "DRAINING")
    }
  }
}
