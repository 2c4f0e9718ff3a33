internal import CPQ
internal import EventLoop

/// SQL of several statements on its way.
// Confined to its connection's event loop.
final class Script: @unchecked Sendable {
  private var continuation: UnsafeContinuation<PostgresError?, Never>?
  private var failure: PostgresError?
  /// Whether its caller has given up.
  private(set) var isAbandoned = false

  init(_ continuation: UnsafeContinuation<PostgresError?, Never>) { self.continuation = continuation }

  func abandon() { isAbandoned = true }

  func noteFailure(_ error: PostgresError) { failure = failure ?? error }

  /// Ends the wait, once, with the first failure.
  func finish(_ error: PostgresError? = nil) {
    continuation?.resume(returning: failure ?? error)
    continuation = nil
  }
}

extension PostgresConnection {
  /// Runs SQL of any number of statements, without parameters and results, as one transaction unless it has its own.
  ///
  /// The connection must be idle: the text goes by the simple query protocol, outside of the pipeline. When the task is
  /// cancelled, the statement that runs is stopped.
  package func run(script text: String) async throws(PostgresError) {
    loop.preconditionCurrent()
    if let failure { throw failure }
    precondition(load == 0 && script == nil, "a script on a busy connection")
    guard PQexitPipelineMode(handle) == 1, PQsendQuery(handle, text) == 1 else {
      throw PostgresError(.connectionLost, PostgresError.message(of: handle))
    }
    let failure = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        script = Script(continuation)
        flushToSocket()
      }
    } onCancel: {
      loop.execute {
        self.script?.abandon()
        self.considerCancelling()
      }
    }
    guard let failure else { return }
    throw failure.code == .timeout && Task.isCancelled ? .cancelled : failure
  }

  /// Takes what has arrived of a script's results.
  func continueScript(_ script: Script) {
    while PQisBusy(handle) == 0 {
      guard let result = PQgetResult(handle) else {
        self.script = nil
        if PQenterPipelineMode(handle) == 0 {
          lost(PostgresError(.protocolViolation, PostgresError.message(of: handle)))
        }
        return script.finish()
      }
      defer { PQclear(result) }
      switch PQresultStatus(result) {
      case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
      default:
        let error = PostgresError(result: result)
        script.noteFailure(error)
        if case .server = error.code { break }
        if case .timeout = error.code { break }
        return lost(error)
      }
    }
  }
}
