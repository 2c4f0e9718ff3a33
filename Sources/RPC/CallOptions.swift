/// How a call is made.
package struct CallOptions: Sendable {
  /// The time after which the caller stops waiting; at most ``timeoutMax``.
  package var timeout: Duration
  /// Values to travel beside the request.
  package var metadata: Metadata
  /// Whether to wait for a connection, within `timeout`, instead of failing with UNAVAILABLE at once.
  package var waitsForReady: Bool
  /// Whether a repeat of the call does no harm, so that an ``RPCPool`` may make it again. Nil leaves that to the marks
  /// of the method's schema; a call of encoded messages, whose schema is not known, is not repeated then.
  package var isRepeatable: Bool?

  /// The longest time-out: an hour.
  package static let timeoutMax: Duration = .seconds(3_600)

  /// Options for a call with a stream: it may last as long as a call can.
  package static let streaming = CallOptions(timeout: timeoutMax)

  /// Options that differ from the defaults in what is given.
  package init(
    timeout: Duration = .seconds(10), metadata: Metadata = [:], waitsForReady: Bool = false, isRepeatable: Bool? = nil
  ) {
    self.timeout = min(timeout, Self.timeoutMax)
    self.metadata = metadata
    self.waitsForReady = waitsForReady
    self.isRepeatable = isRepeatable
  }
}
