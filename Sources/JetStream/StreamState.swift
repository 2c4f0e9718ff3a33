package import JSON

/// Which stream it is, and how far it goes.
package struct StreamState: Equatable, Sendable {
  /// When the stream was created, as the broker writes it: tells a stream from others that had its name before.
  package var created: String
  /// The place of the last message; 0 for none yet.
  package var lastSequence: Int64

  /// Reads what ``JetStreamClient/streamInfo(_:)`` tells.
  package init(_ info: JSONValue) {
    created = info["created"]?.string ?? ""
    lastSequence = info["state"]?["last_seq"]?.integer ?? 0
  }
}
