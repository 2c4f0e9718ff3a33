internal import CNATS
package import EventLoop

/// Who takes the messages of a subscription, and hears of the connection's ups and downs. All calls come on the loop.
protocol NATSSubscriber: AnyObject {
  /// A message arrived.
  func messageReceived(_ message: consuming NATSMessage)
  /// Nobody on the broker takes what one of us sent with this subscription as its reply subject; libnats does not say which.
  func noResponders()
  /// The broker knows the subscription, from now on.
  func connected()
  /// The connection is lost; what was under way has an unknown outcome.
  func disconnected()
}

/// A connection to NATS that comes back whenever it is lost, for ever.
// Confined to its event loop; every entry checks it.
package final class NATSConnection: @unchecked Sendable {
  /// Where and how to connect.
  package struct Options: Sendable {
    /// `nats://host:port`, with user and password if need be; several servers with commas between. No TLS.
    package var url: String
    /// What the broker's monitoring shows this connection as.
    package var name: String
    /// How long one server may take to accept a connection.
    package var connectTimeout: Duration = .seconds(2)
    /// How often a silent connection is asked for life; two questions unanswered end it.
    package var pingInterval: Duration = .seconds(5)
    /// The waits between attempts: the first, and what they double up to. Each is cut by a random part of its half.
    package var reconnectDelay: ClosedRange<Duration> = .milliseconds(50) ... .seconds(2)
    /// Bytes that may wait for the socket; more is refused as overloaded.
    package var pendingBytesMax = 16 << 20

    /// Options with the defaults shown.
    package init(url: String, name: String) {
      self.url = url
      self.name = name
    }
  }

  package let loop: EventLoop
  let options: Options
  private let disposal: MessageDisposal
  private(set) var isClosed = false
  private var session: NATSSession?
  private var reconnectTimer: LoopTimer?
  private var failedAttempts = 0
  private var subscriptions: [NATSSubscription] = []
  private var nextInbox = 0
  private let inboxPrefix = "_INBOX." + NATSLibrary.uniqueName()
  /// Counts connections: what belongs to an earlier one is void.
  private(set) var epoch = 0
  /// Why there is no connection, in a sentence; nil while there is one.
  package private(set) var problem: String? = "not connected yet"
  /// Called after the connection came up or was lost, when the subscribers have been told.
  var stateChanged: () -> Void = {}

  /// A connection that is not sought yet.
  package init(loop: EventLoop, options: Options) {
    self.loop = loop
    self.options = options
    disposal = MessageDisposal(loop: loop)
  }

  /// Whether the broker can be reached, as far as we know.
  package var isConnected: Bool { session?.connection != nil && problem == nil }

  /// Begins to connect, and goes on until ``close(patience:)``. Returns at once.
  package func start() {
    loop.preconditionCurrent()
    precondition(session == nil, "started twice")
    if !isClosed { openSession() }
  }

  /// Ends the connection for good: what is buffered goes out first, unless that takes longer than `patience`.
  package func close(patience: Duration = .seconds(2)) async {
    loop.preconditionCurrent()
    if isClosed { return }
    isClosed = true
    reconnectTimer?.cancel()
    await session?.close(patience: patience)
    session = nil
  }

  // MARK: Sessions

  private func openSession() {
    let session = NATSSession(owner: self)
    self.session = session
    session.open()
  }

  func sessionOpened(_ session: NATSSession) {
    failedAttempts = 0
    epoch += 1
    problem = nil
    for subscription in subscriptions { begin(subscription) }
    for subscription in subscriptions { subscription.subscriber?.connected() }
    stateChanged()
  }

  func sessionEnded(_ session: NATSSession, reason: String) {
    let wasConnected = problem == nil
    problem = "no connection to NATS at \(options.displayedURL): \(reason)"
    if self.session === session { self.session = nil }
    if wasConnected { for subscription in subscriptions { subscription.subscriber?.disconnected() } }
    stateChanged()
    if isClosed { return }
    reconnectTimer = loop.schedule(after: nextDelay()) { [weak self] in
      guard let self, !isClosed else { return }
      openSession()
    }
  }

  private func nextDelay() -> Duration {
    let (least, most) = (options.reconnectDelay.lowerBound, options.reconnectDelay.upperBound)
    let delay = min(most, least * (1 << min(failedAttempts, 16)))
    failedAttempts += 1
    return delay * Double.random(in: 0.5...1)
  }

  // MARK: Subscriptions

  /// A subject under which nobody else receives.
  func newInbox() -> String {
    nextInbox += 1
    return "\(inboxPrefix).\(nextInbox)"
  }

  /// Delivers what arrives on `subject` to `subscriber`, over this session and all later ones, until ``unsubscribe(_:)``.
  func subscribe(_ subject: String, _ subscriber: any NATSSubscriber) -> NATSSubscription {
    loop.preconditionCurrent()
    let subscription = NATSSubscription(subject: subject, subscriber: subscriber)
    subscriptions.append(subscription)
    if isConnected { begin(subscription) }
    return subscription
  }

  /// Ends the delivery.
  func unsubscribe(_ subscription: NATSSubscription) {
    loop.preconditionCurrent()
    subscriptions.removeAll { $0 === subscription }
    if let pointer = subscription.takeHandle()?.pointer { natsSubscription_Destroy(pointer) }
  }

  private func begin(_ subscription: NATSSubscription) {
    guard let connection = session?.connection else { return }
    // A failure means that the session is at its end: the next one begins again.
    _ = subscription.begin(on: connection)
  }

  func drainSubscriptions() {
    for subscription in subscriptions { subscription.drain(disposal) }
  }

  /// The session's subscriptions are void; gives them up for destruction.
  func subscriptionsEnded() -> [NATSSession.Handle] {
    subscriptions.compactMap { $0.takeHandle() }
  }

  // MARK: Sending

  /// Queues `payload` for `subject`; it leaves with everything else of this turn of the loop.
  func publish(
    _ subject: String, reply: [CChar]? = nil, headers: MessageHeaders = [:], messageID: String? = nil,
    payload: [UInt8]
  ) throws(JetStreamError) {
    let connection = try sendable()
    let status = NATSLibrary.publish(
      subject, reply: reply, headers: headers, messageID: messageID, payload: payload, over: connection,
      disposal: disposal)
    if let error = NATSLibrary.error(status, "take a message") { throw error }
  }

  /// The library's connection, when it takes more.
  func sendable() throws(JetStreamError) -> OpaquePointer {
    guard isConnected, let connection = session?.connection else { throw isClosed ? .closed : .disconnected }
    guard natsConnection_Buffered(connection) < options.pendingBytesMax else {
      throw JetStreamError(.overloaded, "too many bytes wait for NATS")
    }
    return connection
  }
}

extension NATSConnection.Options {
  /// The URL without user and password.
  var displayedURL: String {
    url.split(separator: ",").map { server in
      guard let at = server.lastIndex(of: "@") else { return String(server) }
      return "nats://" + server[server.index(after: at)...]
    }.joined(separator: ",")
  }
}
