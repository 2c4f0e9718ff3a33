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

  /// Comes into the hands of a line.
  func held(by waiter: WaitingLine.Waiter) {
    switch self {
    case .read(let reply): reply.holder = waiter
    case .atomic(let segment): for reply in segment.replies { reply.holder = waiter }
    case .lease(let lease): lease.holder = waiter
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
  /// Where it waits.
  var holder: WaitingLine.Waiter?
  private var result: Result<Lease, PostgresError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  /// Waits for the connection.
  ///
  /// - Throws: also `.cancelled`, at once, when the task is.
  func lease() async throws(PostgresError) -> Lease {
    if let loop = holder?.loop {
      await withTaskCancellationHandler {
        await withUnsafeContinuation { waiter = $0 }
      } onCancel: {
        loop.execute { self.holder?.giveUp() }
      }
    }
    return try result!.get()
  }

  func grant(_ lease: Lease) { finish(.success(lease)) }
  func fail(_ error: PostgresError) { finish(.failure(error)) }

  private func finish(_ result: Result<Lease, PostgresError>) {
    self.result = result
    holder = nil
    waiter?.resume()
    waiter = nil
  }
}
