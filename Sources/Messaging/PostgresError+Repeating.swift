package import Postgres

extension PostgresError {
  /// Whether the same work, made harmless to repeat by its keys, may succeed when it is tried again.
  package var mayBeRepeated: Bool {
    switch code {
    case .connectionLost, .unknownOutcome: true
    default: isSerializationOrDeadlock || isUniqueViolation()
    }
  }

  /// Whether the server refused what was asked for, so that asking again changes nothing.
  package var isServerRefusal: Bool { sqlState != nil && !mayBeRepeated }
}
