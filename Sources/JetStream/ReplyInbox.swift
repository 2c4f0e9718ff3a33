internal import EventLoop

/// Who waits for the answer to a request. Called on the loop, once for each request.
protocol ReplyTaker: AnyObject {
  /// The request that was sent with `tag` was answered.
  func replied(_ message: consuming NATSMessage, to tag: Int)
  /// The request that was sent with `tag` has no answer; its outcome is unknown unless `error` says otherwise.
  func failed(_ error: JetStreamError, tag: Int)
}

/// Requests and their answers, over one wildcard subscription: request *n* is answered on `<inbox>.<n>`.
///
/// When nobody takes a request's subject, libnats reports that without saying for which request: all that are under way
/// in the same inbox fail then. So requests share an inbox only with those that lead to the same place.
// Confined to its connection's event loop.
final class ReplyInbox: NATSSubscriber, @unchecked Sendable {
  private struct Request {
    let taker: any ReplyTaker
    let tag: Int
    let deadline: LoopInstant
  }

  /// How exactly deadlines are kept.
  private static let sweepInterval = Duration.milliseconds(100)

  private let connection: NATSConnection
  private var subscription: NATSSubscription?
  private var requests: [UInt64: Request] = [:]
  private var lastToken: UInt64 = 0
  /// The inbox and a dot, then the token of the request being sent.
  private var replySubject: [CChar]
  private let prefixCount: Int
  private var sweepTimer: LoopTimer?
  /// Called when nobody took a request.
  var onNoResponders: () -> Void = {}

  init(connection: NATSConnection) {
    self.connection = connection
    let inbox = connection.newInbox()
    replySubject = (inbox + ".").utf8.map { CChar(bitPattern: $0) }
    prefixCount = replySubject.count
    subscription = connection.subscribe(inbox + ".*", self)
  }

  /// Sends a request; `taker` hears of the answer or its absence, unless this throws.
  func send(
    _ subject: String, headers: MessageHeaders = [:], messageID: String? = nil, payload: [UInt8],
    timeout: Duration, to taker: any ReplyTaker, tag: Int
  ) throws(JetStreamError) {
    lastToken += 1
    writeToken(lastToken)
    try connection.publish(subject, reply: replySubject, headers: headers, messageID: messageID, payload: payload)
    requests[lastToken] = Request(taker: taker, tag: tag, deadline: connection.loop.now + timeout)
    if sweepTimer == nil { planSweep() }
  }

  /// Fails everything under way and ends the subscription.
  func close() {
    if let subscription { connection.unsubscribe(subscription) }
    subscription = nil
    sweepTimer?.cancel()
    failAll(.closed)
  }

  // MARK: NATSSubscriber

  func messageReceived(_ message: consuming NATSMessage) {
    guard let token = token(of: message), let request = requests.removeValue(forKey: token) else { return }
    request.taker.replied(message, to: request.tag)
  }

  func noResponders() {
    failAll(.noResponders)
    onNoResponders()
  }

  func connected() {}

  func disconnected() { failAll(.disconnected) }

  // MARK: Helpers

  private func token(of message: borrowing NATSMessage) -> UInt64? {
    let subject = message.subjectBytes
    guard subject.count > prefixCount else { return nil }
    return UInt64(digits: subject.extracting(prefixCount..<subject.count))
  }

  private func failAll(_ error: JetStreamError) {
    let failed = requests
    requests = [:]
    for request in failed.values { request.taker.failed(error, tag: request.tag) }
  }

  private func planSweep() {
    sweepTimer = connection.loop.schedule(after: Self.sweepInterval) { [weak self] in self?.sweep() }
  }

  private func sweep() {
    sweepTimer = nil
    let now = connection.loop.now
    for (token, request) in requests where request.deadline <= now {
      requests[token] = nil
      request.taker.failed(JetStreamError(.timeout, "JetStream did not answer in time"), tag: request.tag)
    }
    if !requests.isEmpty, sweepTimer == nil { planSweep() }
  }

  private func writeToken(_ token: UInt64) {
    replySubject.removeSubrange(prefixCount...)
    var rest = token
    repeat {
      replySubject.append(CChar(UInt8(ascii: "0") + UInt8(rest % 10)))
      rest /= 10
    } while rest > 0
    replySubject[prefixCount...].reverse()
    replySubject.append(0)
  }
}
