package import RPC
internal import Schema

/// A channel to one server, which connects and reconnects by itself.
package protocol BackendChannel: CallChannel, AnyObject {
  /// The server, as `host:port`.
  var address: String { get }
  /// Whether calls can begin at once.
  var isReady: Bool { get }
  /// Why they cannot; nil when they can.
  var unreadyReason: String? { get }
  /// Calls under way.
  var callCount: Int { get }
  /// Is told whenever ``isReady`` changes.
  var onReadinessChange: ((Bool) -> Void)? { get set }
  /// Keeps connected until the task is cancelled.
  func run() async
}

extension RPCClient: BackendChannel {}

/// One server behind the gateway, and what it has told of itself.
// Confined to its gateway's event loop.
package final class BackendServer: @unchecked Sendable {
  /// How to reach it.
  let channel: any BackendChannel
  /// The schemas it reflected, and the text they were made from; nil before.
  var offer: (translator: JSONTranslator, sources: [String])?
  /// Why its offer cannot be used; nil when it can, or when it is not known yet.
  var offerProblem: String?
  var isLearning = false

  /// The server at the other end of `channel`.
  package init(channel: any BackendChannel) { self.channel = channel }

  /// Why its routes cannot be served just now; nil when they can.
  var unreadyReason: String? {
    channel.unreadyReason ?? offerProblem ?? (offer == nil ? "its schemas are not known yet" : nil)
  }
}
