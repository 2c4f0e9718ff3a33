internal import EventLoop

/// Takes messages from a durable pull consumer, in batches as large as what has arrived.
///
/// It keeps asking ahead, goes on after the connection, the broker or the consumer itself were lost and are back, and
/// never gives up until it is closed. One task reads it.
// Confined to its connection's event loop; every entry checks it.
package final class PullConsumer: NATSSubscriber, @unchecked Sendable {
  /// The stream that is consumed.
  package let stream: String
  /// The consumer's durable name.
  package let name: String
  private let connection: NATSConnection
  private let inbox: String
  private let requestSubject: String
  private var subscription: NATSSubscription?
  private var window: PullWindow
  private var arrived: [IncomingMessage] = []
  private var reader: UnsafeContinuation<Void, Never>?
  private var isPulling = false
  private(set) var isClosed = false
  private var heartbeatTimer: LoopTimer?
  private var pauseTimer: LoopTimer?
  /// While it closes: when the last message was given back.
  private var lastGivenBack: LoopInstant
  private var closingTimer: LoopTimer?
  private var closingWaiters: [UnsafeContinuation<Void, Never>] = []
  /// Called when the broker does not know the consumer (any more).
  private let onLost: () -> Void

  /// An open pull request ends after this long. Nothing can take it back, and what the broker sends on it after its inbox
  /// is gone would be missing until the time to acknowledge is up; so closing waits for the end of the open requests.
  private static let requestExpiry = Duration.seconds(2)
  /// A broker that delivers nothing is silent for no longer than this; at most half of ``requestExpiry``, JetStream demands.
  private static let heartbeat = Duration.seconds(1)
  /// A stream that has been silent for so long while the consumer closes has nothing on its way: not worth to wait for the
  /// requests' end.
  private static let quiet = Duration.milliseconds(100)
  /// The wait after a refused request.
  private static let pause = Duration.milliseconds(250)

  init(
    connection: NATSConnection, stream: String, name: String, capacity: Int, onLost: @escaping () -> Void
  ) {
    connection.loop.preconditionCurrent()
    self.connection = connection
    self.stream = stream
    self.name = name
    self.onLost = onLost
    lastGivenBack = connection.loop.now
    window = PullWindow(capacity: max(1, capacity), heartbeat: Self.heartbeat, now: connection.loop.now)
    inbox = connection.newInbox()
    requestSubject = "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(name)"
    subscription = connection.subscribe(inbox, self)
    planHeartbeatCheck()
  }

  /// Everything that has arrived, up to `countMax`; waits for a message when there is none.
  ///
  /// - Throws: ``JetStreamError`` `.closed` after ``close()``; `CancellationError` when the task is cancelled.
  package func next(_ countMax: Int) async throws -> [IncomingMessage] {
    connection.loop.preconditionCurrent()
    precondition(reader == nil, "a consumer has one reader")
    while arrived.isEmpty {
      if isClosed { throw JetStreamError.closed }
      try Task.checkCancellation()
      await withTaskCancellationHandler {
        await withUnsafeContinuation { reader = $0 }
      } onCancel: {
        connection.loop.execute { self.wakeReader() }
      }
    }
    return take(countMax)
  }

  /// Ends the consuming: messages that were not taken go back to the broker, for whoever consumes next, and so do those
  /// that are still on their way; ``untilClosed()`` returns when there are none.
  package func close() {
    connection.loop.preconditionCurrent()
    if isClosed { return }
    isClosed = true
    isPulling = false
    for message in arrived { message.nak() }
    arrived = []
    heartbeatTimer?.cancel()
    pauseTimer?.cancel()
    lastGivenBack = connection.loop.now
    wakeReader()
    endWhenQuiet(closedAt: connection.loop.now)
  }

  /// Returns when everything that was on its way at ``close()`` has gone back, or the connection was lost.
  package func untilClosed() async {
    connection.loop.preconditionCurrent()
    if isClosed, subscription == nil { return }
    await withUnsafeContinuation { closingWaiters.append($0) }
  }

  /// Ends the subscription once no request is open, or nothing has come for a while.
  private func endWhenQuiet(closedAt: LoopInstant) {
    let now = connection.loop.now
    let isOver =
      !window.isAwaiting || !connection.isConnected || now - lastGivenBack >= Self.quiet
      || now - closedAt >= Self.requestExpiry + Self.heartbeat
    if isOver { return endSubscription() }
    closingTimer = connection.loop.schedule(after: Self.quiet / 10) { [weak self] in
      self?.endWhenQuiet(closedAt: closedAt)
    }
  }

  /// Nothing arrives from now on.
  func endSubscription() {
    closingTimer?.cancel()
    if let subscription { connection.unsubscribe(subscription) }
    subscription = nil
    for waiter in closingWaiters { waiter.resume() }
    closingWaiters = []
  }

  /// The consumer exists on the broker, as far as the caller knows: asks it for messages.
  func begin() {
    if isClosed || isPulling || !connection.isConnected { return }
    isPulling = true
    pullMore()
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
    guard isPulling, pauseTimer == nil, let count = window.requestCount(buffered: arrived.count) else { return }
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
      guard let self, !isClosed else { return }
      if window.isOverdue(now: connection.loop.now) {
        window.reset()
        pullMore()
      }
      planHeartbeatCheck()
    }
  }

  private func wakeReader() {
    let reader = reader
    self.reader = nil
    reader?.resume()
  }

  private func stopPulling() {
    isPulling = false
    window.reset()
  }

  // MARK: NATSSubscriber

  func messageReceived(_ message: consuming NATSMessage) {
    let now = connection.loop.now
    if let status = PullStatus(message) {
      switch window.statusReceived(status, now: now) {
      case .proceed: pullMore()
      case .pause: pause()
      case .lost: noResponders()
      }
    } else if let delivered = IncomingMessage(message, connection: connection) {
      window.messageReceived(now: now)
      if isClosed {
        delivered.nak()
        lastGivenBack = now
        return
      }
      arrived.append(delivered)
      wakeReader()
    }
  }

  func noResponders() {
    if !isPulling { return }
    stopPulling()
    onLost()
  }

  func connected() {}

  func disconnected() { stopPulling() }
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
