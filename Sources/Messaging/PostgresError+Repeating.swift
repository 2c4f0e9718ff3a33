package import Postgres

extension PostgresError {
  /// Whether the same work, made harmless to repeat by its keys, may succeed when it is tried again.
  package var mayBeRepeated: Bool {
    switch code {
    case .connectionLost, .unknownOutcome: true
    default: isSerializationOrDeadlock || isUniqueViolation()
    }
  }

  /// Whether one piece of work in a batch is to blame, so that the others may go well without it: its values are refused, or
  /// other transactions have its keys whenever it is tried again.
  package var concernsOne: Bool { isRefusalOfValues || isUniqueViolation() }

  /// Whether the server refused the values that it was given, so that giving them again changes nothing: a data exception
  /// or a broken constraint (PostgreSQL, appendix A, classes 22 and 23). All other refusals are for the state that the
  /// server is in, such as a full disk or a standby that takes no writes, and pass.
  package var isRefusalOfValues: Bool {
    guard let state = sqlState?.rawValue, !mayBeRepeated else { return false }
    return state.hasPrefix("22") || state.hasPrefix("23")
  }
}
