package import EventLoop

/// JetStream for one process: publishes, consumes, and keeps the streams and consumers that it needs in existence.
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
    /// Whether the broker has, or had when last seen to, all streams and consumers as they are wanted.
    package var isReady: Bool
    /// What is wrong, in a sentence for operators; nil when nothing is.
    package var problem: String?
  }

  package let loop: EventLoop
  package let topology: Topology
  let connection: NATSConnection
  let api: APIRequests
  private let publisher: Publisher
  private var consumers: [PullConsumer] = []
  private var isTopologyKnown = false
  private var isTopologyDoubted = true
  private var topologyProblem: String?
  private var runner: UnsafeContinuation<Void, Never>?
  private var restTimer: LoopTimer?

  /// Waits between attempts to bring the broker to the wanted topology: the first, and what they double up to.
  private static let retryDelay: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

  /// A client that does not connect yet.
  package init(loop: EventLoop, options: Options, topology: Topology = Topology()) {
    loop.preconditionCurrent()
    self.loop = loop
    self.topology = topology
    connection = NATSConnection(loop: loop, options: options.connection)
    api = APIRequests(connection: connection, timeout: options.requestTimeout)
    publisher = Publisher(connection: connection, options: options)
    publisher.onNoResponders = { [weak self] in self?.doubtTopology() }
    connection.stateChanged = { [weak self] in self?.doubtTopology() }
  }

  /// How things stand now.
  package var health: Health {
    Health(
      isConnected: connection.isConnected, isReady: connection.isConnected && isTopologyKnown,
      problem: connection.problem ?? topologyProblem)
  }

  /// Connects, and brings streams and consumers to the wanted state upon each connection and whenever they are missed,
  /// until ``close(patience:)``.
  package func run() async {
    connection.start()
    var failures = 0
    while !connection.isClosed {
      if connection.isConnected, isTopologyDoubted {
        failures = await applyTopology() ? 0 : failures + 1
        // Also after success: a consumer that is missed at once is not to make this spin.
        let delay = min(Self.retryDelay.upperBound, Self.retryDelay.lowerBound * (1 << min(failures, 16)))
        await rest(for: delay)
      } else {
        await withUnsafeContinuation { runner = $0 }
      }
    }
  }

  /// Waits until the broker is reached and has the wanted topology.
  ///
  /// - Throws: what is wrong, when that takes longer than `timeout`.
  package func waitUntilReady(within timeout: Duration) async throws {
    let deadline = loop.now + timeout
    while !health.isReady {
      if loop.now >= deadline { throw JetStreamError(.unavailable, health.problem ?? "JetStream is not ready") }
      try await loop.sleep(for: .milliseconds(5))
    }
  }

  /// Ends consumers, publishing and the connection; what is buffered goes out first, unless that takes longer than
  /// `patience`.
  package func close(patience: Duration = .seconds(2)) async {
    loop.preconditionCurrent()
    for consumer in consumers {
      consumer.close()
      // Whoever wants what is on its way to go back has waited for it.
      consumer.endSubscription()
    }
    consumers = []
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
  package func publish(_ message: OutgoingMessage) async throws -> PublishAck {
    try await publisher.publish([message])[0].get()
  }

  /// Publishes messages in order and returns when each is stored or has failed: one result for each.
  package func publishBatch(_ messages: [OutgoingMessage]) async -> [Result<PublishAck, JetStreamError>] {
    await publisher.publish(messages)
  }

  // MARK: Consuming

  /// Takes messages of the durable consumer `name`, which the topology should list; up to `capacity` are asked for ahead.
  package func consumer(stream: String, name: String, capacity: Int = 1024) -> PullConsumer {
    consumers.removeAll { $0.isClosed }
    let consumer = PullConsumer(
      connection: connection, stream: stream, name: name, capacity: capacity,
      onLost: { [weak self] in self?.doubtTopology() })
    consumers.append(consumer)
    if isTopologyKnown { consumer.begin() }
    return consumer
  }

  // MARK: Topology

  /// Streams or consumers may be missing: have them seen to.
  private func doubtTopology() {
    isTopologyDoubted = true
    isTopologyKnown = false
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

  private func applyTopology() async -> Bool {
    let epoch = connection.epoch
    isTopologyDoubted = false
    do {
      try await ensure(topology)
      topologyProblem = nil
      isTopologyKnown = !isTopologyDoubted
    } catch {
      isTopologyDoubted = true
      topologyProblem = (error as? JetStreamError)?.debugDescription ?? "\(error)"
    }
    // Also after a failure: it may concern others.
    if epoch == connection.epoch { for consumer in consumers { consumer.begin() } }
    return topologyProblem == nil
  }
}
