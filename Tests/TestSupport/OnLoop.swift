package import EventLoop
internal import Foundation

/// Runs `body` on an event loop of its own, on a thread of its own.
package func onLoop<Result: Sendable>(
  _ body: @escaping @Sendable (EventLoop) async throws -> Result
) async throws -> Result {
  // As the programs do: a peer that hangs up while it is written to is no reason to end.
  signal(SIGPIPE, SIG_IGN)
  return try await withCheckedThrowingContinuation { continuation in
    let thread = Thread {
      do {
        let loop = try EventLoop()
        continuation.resume(returning: try loop.run { try await body(loop) })
      } catch {
        continuation.resume(throwing: error)
      }
    }
    thread.stackSize = 8 << 20
    thread.start()
  }
}
