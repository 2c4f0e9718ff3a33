package import EventLoop
package import RPC

/// The keys whose first request is being worked on in this process: a second has to come again later.
///
/// In another process it waits for the first in the database, and is answered as a repeat.
// Confined to its event loop; every entry checks it.
package final class RunningKeys: @unchecked Sendable {
  private struct First {
    let request: [UInt8]
    var calls: Int
  }

  private let loop: EventLoop
  private var running: [IdempotencyKey: First] = [:]

  /// Nothing runs yet.
  package init(loop: EventLoop) { self.loop = loop }

  /// How many keys have a request that runs.
  var count: Int { running.count }

  /// Runs `body`, which answers `request`, unless a request under the same key runs already.
  ///
  /// A call that the client library makes again, because it lost the connection, is let through: its caller has asked once.
  /// It waits for the first in the database.
  /// - Throws: ``RPCError`` ABORTED while the first runs, INVALID_ARGUMENT when that is another request; and what `body`
  ///   throws.
  package func answering<Result>(
    _ request: IdempotentRequest?, _ metadata: Metadata, _ body: () async throws -> Result
  ) async throws -> Result {
    loop.preconditionCurrent()
    guard let request else { return try await body() }
    try begin(request, isMadeAgain: metadata.isMadeAgain)
    defer { end(request.key) }
    return try await body()
  }

  private func begin(_ request: IdempotentRequest, isMadeAgain: Bool) throws(RPCError) {
    guard let first = running[request.key] else {
      running[request.key] = First(request: request.request, calls: 1)
      return
    }
    if first.request != request.request { throw .idempotencyKeyReused }
    if !isMadeAgain { throw .idempotencyKeyInUse }
    running[request.key]?.calls += 1
  }

  private func end(_ key: IdempotencyKey) {
    running[key]?.calls -= 1
    if running[key]?.calls == 0 { running[key] = nil }
  }
}
