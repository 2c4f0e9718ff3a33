internal import EventLoop

/// Requests that wait in order, each no longer than its patience.
// Confined to the pool's event loop.
final class WaitingLine: @unchecked Sendable {
  // Confined to the pool's event loop.
  final class Waiter: ReplyHolder, @unchecked Sendable {
    /// nil once it was taken or does not wait any more.
    fileprivate var request: PoolRequest?
    fileprivate var timer: LoopTimer?
    fileprivate let since: LoopInstant
    private let line: WaitingLine

    fileprivate init(_ request: PoolRequest, in line: WaitingLine) {
      self.request = request
      self.line = line
      since = line.loop.now
    }

    var loop: EventLoop { line.loop }

    func giveUp(_ reply: Reply) { giveUp() }

    /// The request's caller was cancelled.
    func giveUp() { line.leave(self, .cancelled) }
  }

  /// Places of requests that do not wait any more, beyond as many as there are others, before the line closes up.
  private static let gapsMax = 64

  let loop: EventLoop
  private var waiters = FIFO<Waiter>()
  /// Requests still waiting.
  private(set) var count = 0

  init(loop: EventLoop) { self.loop = loop }

  /// The request whose turn it is.
  var first: PoolRequest? { waiters.first?.request }

  /// How long the request has waited whose turn it is.
  var age: Duration { waiters.first.map { loop.now - $0.since } ?? .zero }

  /// Lets a request wait, and fail with `impatience` when that takes too long.
  func append(_ request: PoolRequest, patience: Duration, impatience: PostgresError) {
    let waiter = Waiter(request, in: self)
    request.held(by: waiter)
    waiter.timer = loop.schedule(after: patience) { self.leave(waiter, impatience) }
    waiters.append(waiter)
    count += 1
  }

  func popFirst() -> PoolRequest? {
    let waiter = waiters.popFirst()
    closeUp()
    guard let request = waiter?.request.take() else { return nil }
    waiter?.timer?.cancel()
    count -= 1
    return request
  }

  private func leave(_ waiter: Waiter, _ error: PostgresError) {
    guard let request = waiter.request.take() else { return }
    waiter.timer?.cancel()
    count -= 1
    closeUp()
    request.fail(error)
  }

  /// Keeps a request that still waits at the front, and the gaps few.
  private func closeUp() {
    while let waiter = waiters.first, waiter.request == nil { _ = waiters.popFirst() }
    if waiters.count > 2 * count + Self.gapsMax { waiters.removeAll { $0.request == nil } }
  }
}
