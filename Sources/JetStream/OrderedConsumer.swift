internal import EventLoop
internal import JSON

/// Reads a stream in its order from a place that the reader chose, and acknowledges nothing: the reader keeps the place,
/// in the same transaction as the effect of what it read.
///
/// On the broker it is an ephemeral consumer without acknowledgements. It asks ahead, and lives no longer than one
/// connection: when that, the consumer, or a message is lost, ``next(_:)`` says so, and the reader begins again where it
/// was. One task reads it.
// Confined to its connection's event loop; every entry checks it.
package final class OrderedConsumer: NATSSubscriber, @unchecked Sendable {
  /// The stream that is read.
  package let stream: String
  /// What the broker calls the consumer.
  package let name: String
  /// How many messages were there to be read when the reading began.
  package let pendingCount: UInt64
  private let connection: NATSConnection
  private let api: APIRequests
  private let inbox: String
  private let requestSubject: String
  private var subscription: NATSSubscription?
  private var window: PullWindow
  private var arrived: [IncomingMessage] = []
  private var lastDelivery: UInt64 = 0
  private var reader: UnsafeContinuation<Void, Never>?
  /// Whether the reader has waited for as long as it wants.
  private var isTimeUp = false
  private var failure: JetStreamError?
  private var heartbeatTimer: LoopTimer?
  private var pauseTimer: LoopTimer?

  /// An open pull request ends after this long.
  private static let requestExpiry = Duration.seconds(10)
  /// A broker that delivers nothing is silent for no longer than this; at most half of ``requestExpiry``, JetStream demands.
  private static let heartbeat = Duration.seconds(1)
  /// The wait after a refused request.
  private static let pause = Duration.milliseconds(250)
  /// How long the broker keeps a consumer that nobody asks for messages.
  static let inactiveMax = Duration.seconds(30)

  /// Takes the messages of a consumer that the broker has just made; up to `capacity` are asked for ahead.
  init(
    connection: NATSConnection, api: APIRequests, stream: String, name: String, pendingCount: UInt64, capacity: Int
  ) {
    connection.loop.preconditionCurrent()
    self.connection = connection
    self.api = api
    self.stream = stream
    self.name = name
    self.pendingCount = pendingCount
    window = PullWindow(capacity: max(1, capacity), heartbeat: Self.heartbeat, now: connection.loop.now)
    inbox = connection.newInbox()
    requestSubject = "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(name)"
    subscription = connection.subscribe(inbox, self)
    planHeartbeatCheck()
    pullMore()
  }

  /// How many messages have arrived and were not taken.
  package var arrivedCount: Int { arrived.count }

  /// Everything that has arrived, up to `countMax`, in the stream's order; waits for a message when there is none.
  ///
  /// - Parameter timeout: after which nothing is given out when nothing has come; nil to wait for as long as it takes.
  /// - Throws: ``JetStreamError`` `.unavailable` when the consumer is lost, which it stays; `.closed` after ``close()``;
  ///   `CancellationError` when the task is cancelled.
  package func next(_ countMax: Int, atMost timeout: Duration? = nil) async throws -> [IncomingMessage] {
    connection.loop.preconditionCurrent()
    precondition(reader == nil, "a consumer has one reader")
    // Not by the clock: the timer's may be a millisecond ahead of the loop's.
    isTimeUp = false
    let timer = timeout.map { connection.loop.schedule(after: $0) { self.timeIsUp() } }
    defer { timer?.cancel() }
    while arrived.isEmpty {
      if let failure { throw failure }
      try Task.checkCancellation()
      if isTimeUp { return [] }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { reader = $0 }
      } onCancel: {
        connection.loop.execute { self.wakeReader() }
      }
    }
    return take(countMax)
  }

  /// Ends the reading, and has the broker forget the consumer.
  package func close() {
    connection.loop.preconditionCurrent()
    let isKnown = failure == nil
    end(.closed)
    arrived = []
    // What does not reach the broker does no harm: it forgets by itself, in a while.
    if isKnown { api.post("CONSUMER.DELETE.\(stream).\(name)") }
  }

  private func timeIsUp() {
    isTimeUp = true
    wakeReader()
  }

  /// Nothing arrives from now on; what has arrived is still given out.
  private func end(_ error: JetStreamError) {
    if failure == nil { failure = error }
    heartbeatTimer?.cancel()
    pauseTimer?.cancel()
    if let subscription { connection.unsubscribe(subscription) }
    subscription = nil
    wakeReader()
  }

  private func lost(_ reason: String) {
    end(JetStreamError(.unavailable, "a consumer of stream \(stream) is lost", detail: reason))
  }

  private func take(_ countMax: Int) -> [IncomingMessage] {
    let count = min(max(1, countMax), arrived.count)
    let taken: [IncomingMessage]
    if count == arrived.count {
      taken = arrived
      arrived = []
    } else {
      taken = Array(arrived.prefix(count))
      arrived.removeFirst(count)
    }
    pullMore()
    return taken
  }

  private func pullMore() {
    guard failure == nil, pauseTimer == nil, let count = window.requestCount(buffered: arrived.count) else { return }
    let request: JSONValue = [
      "batch": .integer(Int64(count)), "expires": .integer(Self.requestExpiry.nanoseconds),
      "idle_heartbeat": .integer(Self.heartbeat.nanoseconds),
    ]
    do {
      try connection.publish(requestSubject, reply: inbox.nulTerminated, payload: request.encoded)
      window.requested(count, now: connection.loop.now)
    } catch {
      pause()
    }
  }

  private func pause() {
    if pauseTimer != nil { return }
    pauseTimer = connection.loop.schedule(after: Self.pause) { [weak self] in
      guard let self else { return }
      pauseTimer = nil
      pullMore()
    }
  }

  private func planHeartbeatCheck() {
    heartbeatTimer = connection.loop.schedule(after: Self.heartbeat / 2) { [weak self] in
      guard let self, failure == nil else { return }
      if window.isOverdue(now: connection.loop.now) { return lost("the broker gives no sign of life") }
      planHeartbeatCheck()
    }
  }

  private func wakeReader() {
    let reader = reader
    self.reader = nil
    reader?.resume()
  }

  // MARK: NATSSubscriber

  func messageReceived(_ message: consuming NATSMessage) {
    let now = connection.loop.now
    if let status = PullStatus(message) {
      switch window.statusReceived(status, now: now) {
      case .proceed: pullMore()
      case .pause: pause()
      case .lost: lost("\(status.code) \(status.description)")
      }
    } else if let delivered = IncomingMessage(message) {
      window.messageReceived(now: now)
      guard delivered.delivery.consumerSequence == lastDelivery + 1 else { return lost("a delivery is missing") }
      lastDelivery += 1
      arrived.append(delivered)
      wakeReader()
    }
  }

  func noResponders() { lost("the broker does not know it") }

  func connected() {}

  func disconnected() { lost("the connection is lost") }
}

extension PullStatus {
  /// The status that a message without a reply subject is; nil for a delivery.
  init?(_ message: borrowing NATSMessage) {
    guard message.replyBytes.isEmpty, let code = message.header("Status").flatMap({ Int($0) }) else { return nil }
    self.init(
      code: code, description: message.header("Description") ?? "",
      unfilledCount: message.header("Nats-Pending-Messages").flatMap { Int($0) })
  }
}

extension String {
  /// The characters of a C string.
  fileprivate var nulTerminated: [CChar] { utf8CString.map { $0 } }
}
