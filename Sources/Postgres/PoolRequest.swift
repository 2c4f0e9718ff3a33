internal import EventLoop

/// Something that needs a connection of a pool.
enum PoolRequest {
  case read(Reply)
  case atomic(Segment)
  case lease(LeaseRequest)

  func fail(_ error: PostgresError) {
    switch self {
    case .read(let reply): reply.answer(.failure(error))
    case .atomic(let segment): segment.fail(error)
    case .lease(let lease): lease.fail(error)
    }
  }
}

/// A connection that is one transaction's alone.
struct Lease {
  let slot: PostgresPool.Slot
  let connection: PostgresConnection
}

/// A transaction that waits for its connection.
// Confined to the pool's event loop.
final class LeaseRequest: @unchecked Sendable {
  private var result: Result<Lease, PostgresError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  func lease() async throws(PostgresError) -> Lease {
    if result == nil { await withUnsafeContinuation { waiter = $0 } }
    return try result!.get()
  }

  func grant(_ lease: Lease) { finish(.success(lease)) }
  func fail(_ error: PostgresError) { finish(.failure(error)) }

  private func finish(_ result: Result<Lease, PostgresError>) {
    self.result = result
    waiter?.resume()
    waiter = nil
  }
}

/// Requests that wait in order, each no longer than its patience.
// Confined to the pool's event loop.
final class WaitingLine: @unchecked Sendable {
  // Confined to the pool's event loop.
  private final class Waiter: @unchecked Sendable {
    /// nil once it was taken or its patience ended.
    var request: PoolRequest?
    var timer: LoopTimer?

    init(_ request: PoolRequest) { self.request = request }
  }

  private let loop: EventLoop
  private var waiters = FIFO<Waiter>()
  /// Requests still waiting.
  private(set) var count = 0

  init(loop: EventLoop) { self.loop = loop }

  /// The request whose turn it is.
  var first: PoolRequest? { waiters.first?.request }

  func append(_ request: PoolRequest, patience: Duration) {
    let waiter = Waiter(request)
    waiter.timer = loop.schedule(after: patience) { self.expire(waiter) }
    waiters.append(waiter)
    count += 1
  }

  func popFirst() -> PoolRequest? {
    let waiter = waiters.popFirst()
    dropExpired()
    guard let request = waiter?.request.take() else { return nil }
    waiter?.timer?.cancel()
    count -= 1
    return request
  }

  private func expire(_ waiter: Waiter) {
    guard let request = waiter.request.take() else { return }
    count -= 1
    dropExpired()
    request.fail(PostgresError(.timeout, "no connection came free in time"))
  }

  /// Keeps a request that still waits at the front.
  private func dropExpired() {
    while let waiter = waiters.first, waiter.request == nil { _ = waiters.popFirst() }
  }
}
