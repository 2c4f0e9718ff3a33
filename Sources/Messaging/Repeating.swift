package import EventLoop
internal import Postgres

/// Runs database work, and runs it again when it failed in a way that may pass: a lost connection, a deadlock, a key that
/// another transaction took in between.
///
/// - Parameter isSafeWhenUnknown: whether the work's own keys make it harmless to repeat a commit whose outcome is not
///   known; otherwise `.unknownOutcome` is thrown. It is thrown as well when no later try could find out.
package func repeatingHarmlessly<Result>(
  on loop: EventLoop, isSafeWhenUnknown: Bool, _ work: () async throws -> Result
) async throws -> Result {
  let triesMax = 3
  var tries = 1
  var unknown: PostgresError?
  while true {
    do {
      return try await work()
    } catch let error as PostgresError where error.mayBeRepeated && tries < triesMax {
      if error.code == .unknownOutcome {
        if !isSafeWhenUnknown { throw error }
        unknown = error
      }
      try await loop.sleep(for: .milliseconds(20 * tries))
      tries += 1
    } catch let error as PostgresError where error.sqlState == nil {
      // The server has not said anything that would tell what became of the try before.
      throw unknown ?? error
    }
  }
}
