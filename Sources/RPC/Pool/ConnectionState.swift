/// Whether calls can begin on a connection.
package enum ConnectionState: Sendable, Equatable {
  /// An attempt to connect is under way, or comes at once. Next: `ready`, `waiting`.
  case connecting
  /// Calls can begin. Next: `connecting`, `waiting`.
  case ready
  /// The last attempt failed, or the connection was lost; the next attempt comes after a wait. Next: `connecting`.
  case waiting(RPCError)

  /// Why calls cannot begin; nil when they can, or when that is being found out.
  package var problem: RPCError? { if case .waiting(let error) = self { error } else { nil } }
}
