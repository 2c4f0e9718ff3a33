package import EventLoop

/// A bucket of tokens for each client: each request takes one, and they come back at a steady rate. A value without I/O.
///
/// A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm). A full bucket
/// needs no entry, and the table is of bounded size: where all entries are in use, the one that is full soonest makes
/// room, among a few that are looked at.
package struct RateLimiter: Sendable {
  /// How many requests a client may send.
  package struct Policy: Equatable, Sendable {
    /// Tokens that come back each second.
    package let perSecond: Int
    /// Tokens of a full bucket.
    package let burst: Int

    /// A policy; both numbers from 1 up.
    package init(perSecond: Int, burst: Int) {
      self.perSecond = perSecond
      self.burst = burst
    }

    /// How long one token takes to come back, in nanoseconds.
    var interval: UInt64 { max(1, 1_000_000_000 / UInt64(perSecond)) }

    /// How long an empty bucket takes to fill, in nanoseconds.
    var window: UInt64 { interval * UInt64(burst) }
  }

  /// What became of a request.
  package struct Decision: Equatable, Sendable {
    /// Whether it may go on.
    package let isAdmitted: Bool
    /// Tokens that are left.
    package let remaining: Int
    /// How long the bucket takes to be full again.
    package let untilFull: Duration
    /// How long until there is a token; zero when there is one.
    package let retryAfter: Duration
  }

  /// The most buckets that are not full: about 10 MB.
  static let bucketsMax = 100_000
  /// Entries that are looked at when room is needed.
  private static let looksMax = 8

  /// How many requests a client may send.
  package let policy: Policy
  private let bucketsMax: Int
  /// When each bucket is full again, in nanoseconds of the loop's clock.
  private var fullAt: [String: UInt64] = [:]
  /// The keys of the table, looked through in turn for entries that are full.
  private var keys: [String] = []
  private var hand = 0

  /// Buckets that are all full.
  package init(_ policy: Policy, bucketsMax: Int = bucketsMax) {
    self.policy = policy
    self.bucketsMax = bucketsMax
  }

  /// How many buckets have an entry.
  var count: Int { keys.count }

  /// Takes a token from the bucket of a client.
  package mutating func take(_ client: String, now: LoopInstant) -> Decision {
    removeFull(now.nanoseconds)
    let now = now.nanoseconds
    let fullAt = max(now, self.fullAt[client] ?? 0)
    let afterwards = fullAt + policy.interval
    guard afterwards <= now + policy.window else {
      return decision(false, fullAt - now, wait: afterwards - now - policy.window)
    }
    insert(client, afterwards, now)
    return decision(true, afterwards - now, wait: 0)
  }

  private func decision(_ isAdmitted: Bool, _ missing: UInt64, wait: UInt64) -> Decision {
    Decision(
      isAdmitted: isAdmitted, remaining: Int((policy.window - missing) / policy.interval),
      untilFull: .nanoseconds(Int64(missing)), retryAfter: .nanoseconds(Int64(wait)))
  }

  private mutating func insert(_ client: String, _ moment: UInt64, _ now: UInt64) {
    if fullAt[client] == nil {
      if keys.count >= bucketsMax { makeRoom() }
      keys.append(client)
    }
    fullAt[client] = moment
  }

  /// Forgets a full bucket or two, so that the table shrinks when clients go.
  private mutating func removeFull(_ now: UInt64) {
    for _ in 0..<min(2, keys.count) {
      advance()
      if fullAt[keys[hand], default: 0] <= now { remove(at: hand) }
      if keys.isEmpty { return }
    }
  }

  /// Forgets, of a few buckets, the one that is full soonest.
  private mutating func makeRoom() {
    var best = hand
    for _ in 0..<Self.looksMax {
      advance()
      if fullAt[keys[hand], default: 0] < fullAt[keys[best], default: 0] { best = hand }
    }
    remove(at: best)
  }

  private mutating func advance() { hand = (hand + 1) % keys.count }

  private mutating func remove(at index: Int) {
    fullAt[keys[index]] = nil
    keys.swapAt(index, keys.count - 1)
    keys.removeLast()
    if hand >= keys.count { hand = 0 }
  }
}
