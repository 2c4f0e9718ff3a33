internal import CPQ
package import EventLoop
internal import Glibc

extension PostgresConnection {
  /// Connects, and sets the session's limits.
  ///
  /// - Throws: `.connectionLost` with libpq's reason; `.timeout` after `connectMax`; `.closed` when the task is cancelled.
  package static func connect(
    loop: EventLoop, configuration: PostgresConfiguration
  ) async throws(PostgresError) -> PostgresConnection {
    loop.preconditionCurrent()
    let attempt = ConnectAttempt(loop: loop)
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { attempt.start(configuration, $0) }
    } onCancel: {
      loop.execute { attempt.fail(PostgresError(.closed, "connecting was cancelled")) }
    }
    let connection = try result.get()
    do {
      _ = try await connection.query(
        Statement(
          """
          SELECT set_config('statement_timeout', $1, false),
                 set_config('idle_in_transaction_session_timeout', $2, false),
                 set_config('plan_cache_mode', $3, false), set_config('enable_seqscan', $4, false),
                 set_config('jit', $5, false)
          """, configuration.statementMax.serverSetting, configuration.idleInTransactionMax.serverSetting,
          configuration.plansByIndex ? "force_generic_plan" : "auto", configuration.plansByIndex ? "off" : "on",
          // A table without an index is read nevertheless, at a price that makes the server compile the statement, which
          // takes longer than the statement.
          configuration.plansByIndex ? "off" : "on"))
    } catch {
      connection.close()
      throw error
    }
    return connection
  }
}

extension Duration {
  /// Whole milliseconds, as the server's settings of time take them.
  fileprivate var serverSetting: String { "\(millisecondsRoundedUp)ms" }
}

/// One attempt to connect: feeds the socket's readiness to `PQconnectPoll`.
// Confined to its event loop: `start` and `fail` run there.
private final class ConnectAttempt: @unchecked Sendable {
  typealias Outcome = Result<PostgresConnection, PostgresError>

  private let loop: EventLoop
  private var handle: OpaquePointer?
  private var watcher: DescriptorWatcher?
  private var timer: LoopTimer?
  private var statementMax = Duration.zero
  private var continuation: UnsafeContinuation<Outcome, Never>?

  init(loop: EventLoop) { self.loop = loop }

  func start(_ configuration: PostgresConfiguration, _ continuation: UnsafeContinuation<Outcome, Never>) {
    self.continuation = continuation
    statementMax = configuration.statementMax
    // `dbname` comes last so that what the URL says prevails.
    let settings: KeyValuePairs = [
      "application_name": configuration.applicationName, "client_encoding": "UTF8", "dbname": configuration.url,
    ]
    handle = withCStrings(settings.map(\.key)) { keys in
      withCStrings(settings.map(\.value)) { values in PQconnectStartParams(keys, values, 1) }
    }
    guard let handle, PQstatus(handle) != CONNECTION_BAD else { return failWithMessage() }
    // libpq would print the server's notices on standard error.
    PQsetNoticeProcessor(handle, { _, _ in }, nil)
    timer = loop.schedule(after: configuration.connectMax) {
      self.fail(PostgresError(.timeout, "no connection within \(configuration.connectMax)"))
    }
    wait(for: .writable)
  }

  func fail(_ error: PostgresError) {
    guard continuation != nil else { return }
    watcher?.close()
    PQfinish(handle)
    finish(.failure(error))
  }

  private func failWithMessage() { fail(PostgresError(.connectionLost, PostgresError.message(of: handle))) }

  private func poll() {
    // libpq may close the socket and open another: the old one must not be watched by then.
    watcher?.close()
    watcher = nil
    switch PQconnectPoll(handle) {
    case PGRES_POLLING_READING: wait(for: .readable)
    case PGRES_POLLING_WRITING: wait(for: .writable)
    case PGRES_POLLING_OK: succeed()
    default: failWithMessage()
    }
  }

  private func wait(for interest: DescriptorWatcher.Interest) {
    do {
      watcher = try DescriptorWatcher(loop: loop, descriptor: PQsocket(handle))
      watcher?.watch(interest) { _ in self.poll() }
    } catch {
      fail(PostgresError(.connectionLost, error.description))
    }
  }

  private func succeed() {
    guard let handle, PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
      return failWithMessage()
    }
    do {
      finish(.success(try PostgresConnection(loop: loop, handle: handle, statementMax: statementMax)))
    } catch {
      fail(PostgresError(.connectionLost, error.description))
    }
  }

  private func finish(_ outcome: Outcome) {
    timer?.cancel()
    timer = nil
    watcher = nil
    handle = nil
    continuation?.resume(returning: outcome)
    continuation = nil
  }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(
  _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
  let copies = strings.map { UnsafePointer(strdup($0)) }
  defer { for copy in copies { free(UnsafeMutablePointer(mutating: copy)) } }
  return body(copies + [nil])
}
