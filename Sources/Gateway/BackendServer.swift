package import RPC
internal import Schema

/// One server behind the gateway, and what it has told of itself.
// Confined to its gateway's event loop.
package final class BackendServer: @unchecked Sendable {
  /// How to reach it.
  let member: PoolMember
  /// The schemas it reflected, and the text they were made from; nil before.
  var offer: (translator: JSONTranslator, sources: [String])?
  /// Why its offer cannot be used; nil when it can, or when it is not known yet.
  var offerProblem: String?
  var isLearning = false
  /// Whether it was connected when that was last looked at.
  var wasConnected = false

  /// The server at the other end of `member`.
  package init(member: PoolMember) { self.member = member }

  /// The server, as `host:port`.
  var address: String { member.connection.address }

  /// Whether calls can begin at once.
  var isConnected: Bool { member.connection.state == .ready }

  /// Why its routes cannot be served just now; nil when they can.
  var unreadyReason: String? {
    switch member.connection.state {
    case .connecting: "it is being connected to"
    case .waiting(let error): error.message
    case .ready: offerProblem ?? (offer == nil ? "its schemas are not known yet" : nil)
    }
  }
}
