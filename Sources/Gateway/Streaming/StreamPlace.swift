/// The place of one stream among those that may be open, for as long as somebody holds it.
// Confined to its gateway's event loop, where the last who holds it lets go.
final class StreamPlace: @unchecked Sendable {
  private let gateway: Gateway
  private let user: String?

  /// A place for a stream of a user, or of somebody who is not known; ``OpenStreams/check(_:)`` says whether there is one.
  init(in gateway: Gateway, of user: String?) {
    self.gateway = gateway
    self.user = user
    gateway.streams.begin(user)
  }

  deinit { gateway.streams.end(user) }
}
