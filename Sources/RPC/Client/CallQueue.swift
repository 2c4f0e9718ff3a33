internal import EventLoop

/// Calls that wait for a connection, in the order in which they came; those whose time is up fail.
// Confined to its event loop.
final class CallQueue: @unchecked Sendable {
  private let loop: EventLoop
  private let countMax: Int
  private let onExpiry: (PendingCall) -> RPCError
  private var calls: [(call: PendingCall, since: LoopInstant)] = []
  private var timer: LoopTimer?

  /// A queue of at most `countMax` calls; `onExpiry` says what a call fails with whose time is up.
  init(loop: EventLoop, countMax: Int, onExpiry: @escaping (PendingCall) -> RPCError) {
    self.loop = loop
    self.countMax = countMax
    self.onExpiry = onExpiry
  }

  /// Adds a call, or fails it when too many wait.
  func append(_ call: PendingCall) {
    if calls.count >= countMax { calls.removeAll(where: \.call.isCompleted) }
    guard calls.count < countMax else {
      return call.end(
        RPCError(.resourceExhausted, "\(calls.count) calls wait for a connection already", reason: "TOO_MANY_WAITING"))
    }
    calls.append((call, loop.now))
    watchDeadlines()
  }

  /// Takes out all calls that still wait, each with the time since when it does.
  func takeAll() -> [(call: PendingCall, since: LoopInstant)] {
    defer { calls = [] }
    return calls.filter { !$0.call.isCompleted }
  }

  /// Fails the calls of which `isHopeless` holds.
  func fail(_ error: RPCError, where isHopeless: (PendingCall) -> Bool) {
    end(isHopeless) { _ in error }
  }

  private func watchDeadlines() {
    if timer != nil { return }
    timer = loop.schedule(after: ClientConnection.deadlineInterval) { [weak self] in self?.expire() }
  }

  private func expire() {
    timer = nil
    end({ $0.deadline <= loop.now }, onExpiry)
    if !calls.isEmpty { watchDeadlines() }
  }

  /// Takes out the calls first, for one that fails may come back.
  private func end(_ isOver: (PendingCall) -> Bool, _ error: (PendingCall) -> RPCError) {
    let over = calls.filter { isOver($0.call) }
    calls.removeAll { $0.call.isCompleted || isOver($0.call) }
    for (call, _) in over { call.end(error(call)) }
  }
}
