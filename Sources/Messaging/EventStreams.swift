package import JetStream

/// The streams of the system, as every service brings them about.
package enum EventStreams {
  /// How long a repeat of a message id is dropped by the broker. Long enough for a relay's retry and for two relays that
  /// send the same event; shorter than it takes to send an event again for the third time, so that an answer that was lost
  /// is asked for again within seconds.
  package static let duplicateWindow: Duration = .seconds(10)
  /// How long messages can be looked at.
  private static let ageMax: Duration = .seconds(7 * 24 * 3_600)

  /// What orders tells: stream ORDERS.
  package static let orders = stream("ORDERS", subjects: ["orders.>"])
  /// What payments tells: stream PAYMENTS.
  package static let payments = stream("PAYMENTS", subjects: ["payments.>"])
  /// What could not be processed: stream DEAD.
  package static let dead = stream("DEAD", subjects: ["dead.>"])
  /// All of them.
  package static let all = [orders, payments, dead]

  private static func stream(_ name: String, subjects: [String]) -> StreamConfiguration {
    var stream = StreamConfiguration(name: name, subjects: subjects)
    stream.duplicateWindow = duplicateWindow
    stream.maxAge = ageMax
    return stream
  }
}
