internal import CNATS

/// A subject that one subscriber listens to, over one session of a connection after the other.
// Confined to its connection's event loop.
final class NATSSubscription: @unchecked Sendable {
  let subject: String
  private(set) weak var subscriber: (any NATSSubscriber)?
  private var handle: NATSSession.Handle?

  init(subject: String, subscriber: any NATSSubscriber) {
    self.subject = subject
    self.subscriber = subscriber
  }

  /// Makes the subscription known to the broker.
  func begin(on connection: OpaquePointer) -> Bool {
    var pointer: OpaquePointer?
    guard natsConnection_SubscribeSync(&pointer, connection, subject) == NATS_OK, let pointer else { return false }
    handle = NATSSession.Handle(pointer: pointer)
    return true
  }

  /// Gives up the library's subscription, for its destruction.
  func takeHandle() -> NATSSession.Handle? {
    defer { handle = nil }
    return handle
  }

  /// Delivers what has arrived.
  func drain(_ disposal: MessageDisposal) {
    guard let pointer = handle?.pointer, let subscriber else { return }
    var count: Int32 = 0
    var bytes: Int32 = 0
    guard natsSubscription_GetPending(pointer, &count, &bytes) == NATS_OK else { return }
    // The subscriber may end the subscription in the midst of it.
    while count > 0, handle != nil {
      count -= 1
      var message: OpaquePointer?
      let status = natsSubscription_NextMsg(&message, pointer, 0)
      if status == NATS_OK, let message {
        subscriber.messageReceived(NATSMessage(owning: message, disposal: disposal))
      } else if status == NATS_NO_RESPONDERS {
        subscriber.noResponders()
      }
    }
  }
}
