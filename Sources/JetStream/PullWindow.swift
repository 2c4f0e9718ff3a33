internal import EventLoop

/// A status that JetStream sends in place of a message (ADR-13 and ADR-37 of the NATS architecture).
struct PullStatus: Equatable {
  /// 100 heartbeat, 400 bad request, 404 no messages, 408 expired, 409 ended early.
  var code: Int
  var description: String
  /// Messages that the ended request still had a claim to; nil when the status does not end one, or does not say.
  var unfilledCount: Int?
}

/// How many messages a pull consumer has asked for, and when it is to ask for more. Pure.
struct PullWindow {
  /// What a status calls for.
  enum Action: Equatable {
    /// Ask for more, if ``requestCount(buffered:)`` says so.
    case proceed
    /// The same, but not at once: the broker refused.
    case pause
    /// The consumer is gone from the broker.
    case lost
  }

  /// Messages that may be on their way or waiting to be taken.
  let capacity: Int
  /// How often the broker gives a sign of life while it has nothing to deliver.
  let heartbeat: Duration
  private var awaited = 0
  private var lastSign: LoopInstant

  init(capacity: Int, heartbeat: Duration, now: LoopInstant) {
    self.capacity = capacity
    self.heartbeat = heartbeat
    lastSign = now
  }

  /// How many messages to ask for now, when `buffered` have come and are not taken; nil for none.
  ///
  /// Waits until half of the capacity is free, so that requests are few.
  func requestCount(buffered: Int) -> Int? {
    let free = capacity - awaited - buffered
    return free > 0 && free >= capacity / 2 ? free : nil
  }

  /// `count` messages were asked for.
  mutating func requested(_ count: Int, now: LoopInstant) {
    if awaited == 0 { lastSign = now }
    awaited += count
  }

  /// A message came.
  mutating func messageReceived(now: LoopInstant) {
    lastSign = now
    awaited = max(0, awaited - 1)
  }

  /// A status came.
  mutating func statusReceived(_ status: PullStatus, now: LoopInstant) -> Action {
    lastSign = now
    if status.code == 100 { return .proceed }
    // What an old server does not say is taken for everything: at worst a little too much is asked for.
    awaited = max(0, awaited - (status.unfilledCount.map { max(0, $0) } ?? awaited))
    switch status.code {
    case 404, 408: return .proceed
    case 409 where status.description.hasPrefix("Batch Completed"): return .proceed
    // Deleted, or on a server that leaves or does not lead any more: what the consumer was is on none other.
    case 409 where !status.description.hasPrefix("Exceeded"): return .lost
    default: return .pause
    }
  }

  /// Whether signs of life have been missing for two heartbeats and some.
  func isOverdue(now: LoopInstant) -> Bool {
    awaited > 0 && now - lastSign > heartbeat * 5 / 2
  }
}
