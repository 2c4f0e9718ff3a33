package import JetStream

/// The streams and consumers of the system, as every service brings them about.
package enum EventStreams {
  /// How long a repeat of a message id is dropped by the broker. Long enough for a relay's retry and for two relays that
  /// send the same row; shorter than it takes to send an event again for the third time, so that an answer that was lost
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

  /// Payments' consumer of orders taken.
  package static let chargeOrders = consumer("payments", of: "ORDERS", filter: "orders.created.*")
  /// Payments' consumer of orders to be cancelled: beside the other, because the two need no order between them.
  package static let cancelOrders = consumer("payments-cancelled", of: "ORDERS", filter: "orders.cancelled.*")
  /// Orders' consumer of charges decided.
  package static let settleOrders = consumer("orders", of: "PAYMENTS", filter: "payments.settled.*")

  private static func stream(_ name: String, subjects: [String]) -> StreamConfiguration {
    var stream = StreamConfiguration(name: name, subjects: subjects)
    stream.duplicateWindow = duplicateWindow
    stream.maxAge = ageMax
    return stream
  }

  private static func consumer(_ name: String, of stream: String, filter: String) -> ConsumerConfiguration {
    var consumer = ConsumerConfiguration(stream: stream, name: name, filterSubjects: [filter])
    // Several times what the largest batch takes; what a killed process held comes again after it.
    consumer.ackWait = .seconds(10)
    consumer.ackPendingMax = 16_384
    return consumer
  }
}
