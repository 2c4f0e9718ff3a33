package import API
package import RPC
package import Wire

/// What a watcher wants to be told of.
package enum WatchTarget: Hashable, Sendable {
  /// One order.
  case order(UUID)
  /// All orders of a user.
  case user(UUID)

  /// What `request` asks for.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when that is nothing, or two things.
  package init(_ request: WatchOrdersRequest) throws(RPCError) {
    switch (request.id, request.userId) {
    case (let id?, nil): self = .order(id)
    case (nil, let id?): self = .user(id)
    default: throw .invalid([FieldViolation(pointer: "", detail: "give either 'id' or 'userId'")])
    }
  }
}
