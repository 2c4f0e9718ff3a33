internal import Postgres
internal import Wire

/// What payments is being asked about an order.
struct QuestionRow: Sendable {
  /// Whether it is to be cancelled, or charged.
  let cancels: Bool
  /// How often it was asked again.
  let attempts: Int32
  /// When it is asked again; nil while it was asked just now and waits in the outbox.
  let dueAt: Timestamp?
  let traceparent: String?

  /// Reads a row of ``OrdersTables/questions(about:)``.
  init(_ row: Row) throws(PostgresError) {
    (cancels, attempts, dueAt, traceparent) = try row.values((Bool, Int32, Timestamp?, String?).self)
  }

  /// In a sentence.
  var text: String {
    let what = "payments is asked to \(cancels ? "cancel" : "charge") it"
    guard let dueAt else { return "\(what), just now" }
    let attempts = attempts == 0 ? "not again yet" : "again \(counted(Int(attempts), "time")) so far"
    return "\(what), \(attempts), next at \(dueAt)"
  }
}
