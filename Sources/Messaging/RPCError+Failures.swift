internal import Postgres
internal import RPC
internal import Service

/// Runs `body`, and turns the failures of its parts into statuses that tell a caller what to do, and nothing else.
package func translatingFailures<Result>(_ body: () async throws -> Result) async throws -> Result {
  do {
    return try await body()
  } catch let error as PostgresError {
    throw RPCError(error) ?? error
  } catch let error as any OverloadError {
    throw RPCError(
      .resourceExhausted, "\(error.waiting) requests wait already; try again in a moment", reason: "OVERLOADED",
      retryAfter: error.retryAfter)
  } catch is BatchCameTooLate {
    throw RPCError.deadlinePassed
  }
}

extension RPCError {
  /// The caller's time was up before anything was done.
  fileprivate static var deadlinePassed: RPCError {
    RPCError(.deadlineExceeded, "the deadline passed before this was done; nothing was changed")
  }

  /// The status of a database failure; nil for one that no caller can do anything about.
  fileprivate init?(_ error: PostgresError) {
    switch error.code {
    case .unknownOutcome:
      self.init(
        .unknown,
        "the database was lost during the commit, so this was done or it was not: look before you repeat it, or repeat it "
          + "under the same id or Idempotency-Key", reason: "UNKNOWN_OUTCOME", retryAfter: .seconds(1))
    case .connectionLost, .closed, .timeout:
      self.init(
        .unavailable, "the database does not answer; try again in a moment", reason: "DATABASE_UNAVAILABLE",
        retryAfter: .seconds(1))
    case .deadlineExceeded: self = .deadlinePassed
    case .cancelled: self.init(.cancelled, "the call was cancelled; nothing was changed")
    case .overloaded:
      self.init(
        .resourceExhausted, "too many requests wait for the database; try again in a moment", reason: "OVERLOADED",
        retryAfter: .seconds(1))
    default: return nil
    }
  }
}
