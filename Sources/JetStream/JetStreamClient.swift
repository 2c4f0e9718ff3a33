package import EventLoop

/// JetStream for one process: publishes, reads, and keeps the streams that it needs in existence.
///
/// It starts without a broker and outlives any failure of one. ``run()`` does the keeping; everything else works while
/// it runs.
// Confined to its event loop; every entry checks it.
package final class JetStreamClient: @unchecked Sendable {
  /// How to reach the broker, and the bounds.
  package struct Options: Sendable {
    /// Where and how to connect.
    package var connection: NATSConnection.Options
    /// Messages published and not yet acknowledged; further ones wait in order.
    package var publishInFlightMax = 4096
    /// Bytes of content published and not yet acknowledged; further messages wait in order.
    package var publishInFlightBytesMax = 8 << 20
    /// Messages that may wait for a place in flight; more are refused as overloaded.
    package var publishWaitingMax = 65_536
    /// How long an acknowledgement may take once the message is on its way.
    package var publishTimeout: Duration = .seconds(5)
    /// How long the API may take to answer.
    package var requestTimeout: Duration = .seconds(5)

    /// Options with the defaults shown.
    package init(url: String, name: String) {
      connection = NATSConnection.Options(url: url, name: name)
    }
  }

  /// How things stand, for readiness checks.
  package struct Health: Sendable, Equatable {
    /// Whether the broker can be reached.
    package var isConnected: Bool
    /// Whether the broker has, or had when last seen to, all streams as they are wanted.
    package var isReady: Bool
    /// What is wrong, in a sentence for operators; nil when nothing is.
    package var problem: String?
  }

  package let loop: EventLoop
  private let streams: [StreamConfiguration]
  let connection: NATSConnection
  let api: APIRequests
  private let publisher: Publisher
  private var areStreamsKnown = false
  private var areStreamsDoubted = true
  private var streamsProblem: String?
  private var runner: UnsafeContinuation<Void, Never>?
  private var restTimer: LoopTimer?

  /// Waits between attempts to bring about the streams: the first, and what they double up to.
  private static let retryDelay: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

  /// A client that does not connect yet, and will keep `streams` in existence.
  package init(loop: EventLoop, options: Options, streams: [StreamConfiguration] = []) {
    loop.preconditionCurrent()
    self.loop = loop
    self.streams = streams
    connection = NATSConnection(loop: loop, options: options.connection)
    api = APIRequests(connection: connection, timeout: options.requestTimeout)
    publisher = Publisher(connection: connection, options: options)
    publisher.onNoResponders = { [weak self] in self?.doubtStreams() }
    connection.stateChanged = { [weak self] in self?.doubtStreams() }
  }

  /// How things stand now.
  package var health: Health {
    Health(
      isConnected: connection.isConnected, isReady: connection.isConnected && areStreamsKnown,
      problem: connection.problem ?? streamsProblem)
  }

  /// Connects, and brings the streams to the wanted state upon each connection and whenever one is missed, until
  /// ``close(patience:)``.
  package func run() async {
    connection.start()
    var failures = 0
    while !connection.isClosed {
      if connection.isConnected, areStreamsDoubted {
        failures = await ensureStreams() ? 0 : failures + 1
        // Also after success: a stream that is missed at once is not to make this spin.
        let delay = min(Self.retryDelay.upperBound, Self.retryDelay.lowerBound * (1 << min(failures, 16)))
        await rest(for: delay)
      } else {
        await withUnsafeContinuation { runner = $0 }
      }
    }
  }

  /// Waits until the broker is reached and has the wanted streams.
  ///
  /// - Throws: what is wrong, when that takes longer than `timeout`.
  package func waitUntilReady(within timeout: Duration) async throws {
    let deadline = loop.now + timeout
    while !health.isReady {
      if loop.now >= deadline { throw JetStreamError(.unavailable, health.problem ?? "JetStream is not ready") }
      try await loop.sleep(for: .milliseconds(5))
    }
  }

  /// Ends reading, publishing and the connection; what is buffered goes out first, unless that takes longer than
  /// `patience`.
  package func close(patience: Duration = .seconds(2)) async {
    loop.preconditionCurrent()
    await connection.close(patience: patience)
    publisher.close()
    api.close()
    wakeRunner()
  }

  // MARK: Publishing

  /// Publishes a message and returns when its stream has stored it.
  ///
  /// - Throws: ``JetStreamError``; of `.unavailable` and `.timeout` the outcome is unknown: send it again with the same
  ///   message ID.
  package func publish(_ message: OutgoingMessage) async throws(JetStreamError) -> PublishAck {
    try await publisher.publish([message])
  }

  /// Publishes messages of one stream in order, and returns when it has taken the last of them and, with it, those before.
  ///
  /// A message that the stream refuses among others is not reported, nor is one that was lost with the server that led the
  /// stream: what must arrive needs more than this.
  /// - Throws: as ``publish(_:)``; some of the messages may have arrived then.
  package func publish(_ messages: [OutgoingMessage]) async throws(JetStreamError) {
    if !messages.isEmpty { _ = try await publisher.publish(messages) }
  }

  // MARK: Reading

  /// Reads a stream in its order.
  ///
  /// - Parameters:
  ///   - subjects: what is wanted of it, with wildcards, no two of which take the same; everything when empty.
  ///   - start: what is before it is not read.
  ///   - capacity: how many messages are asked for ahead.
  /// - Throws: ``JetStreamError`` `.notFound` when there is no such stream (yet).
  package func read(
    _ stream: String, subjects: [String] = [], from start: ReadingStart, capacity: Int = 1024
  ) async throws -> OrderedConsumer {
    let name = "\(connection.options.name)-\(String(UInt64.random(in: 0 ... .max), radix: 36))"
    let epoch = connection.epoch
    let pendingCount: UInt64
    do {
      pendingCount = try await createOrderedConsumer(name, of: stream, subjects: subjects, from: start)
    } catch let error as JetStreamError where error.code == .notFound {
      doubtStreams()
      throw error
    }
    guard epoch == connection.epoch else { throw JetStreamError.disconnected }
    return OrderedConsumer(
      connection: connection, api: api, stream: stream, name: name, pendingCount: pendingCount, capacity: capacity)
  }

  /// Reads a stream in its order, from the message at `sequence` on.
  package func read(
    _ stream: String, subjects: [String] = [], from sequence: UInt64, capacity: Int = 1024
  ) async throws -> OrderedConsumer {
    try await read(stream, subjects: subjects, from: .sequence(sequence), capacity: capacity)
  }

  // MARK: Streams

  /// Streams may be missing: have them seen to.
  private func doubtStreams() {
    areStreamsDoubted = true
    areStreamsKnown = false
    if restTimer == nil { wakeRunner() }
  }

  private func rest(for delay: Duration) async {
    if connection.isClosed { return }
    await withUnsafeContinuation { continuation in
      runner = continuation
      restTimer = loop.schedule(after: delay) { [weak self] in self?.wakeRunner() }
    }
  }

  private func wakeRunner() {
    restTimer?.cancel()
    restTimer = nil
    let runner = runner
    self.runner = nil
    runner?.resume()
  }

  private func ensureStreams() async -> Bool {
    areStreamsDoubted = false
    do {
      try await ensure(streams)
      streamsProblem = nil
      areStreamsKnown = !areStreamsDoubted
      return true
    } catch {
      areStreamsDoubted = true
      streamsProblem = (error as? JetStreamError)?.debugDescription ?? "\(error)"
      return false
    }
  }
}
