package import Tracing

extension Metadata {
  /// The most bytes of an Idempotency-Key.
  package static let idempotencyKeyBytesMax = 255

  /// The caller's Idempotency-Key, under which a repeat gets what the first request got; nil when there is none.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it is not 1 to 255 visible characters of ASCII.
  package func idempotencyKey() throws(RPCError) -> String? {
    guard let key = self["idempotency-key"] else { return nil }
    let isKey = (1...Self.idempotencyKeyBytesMax).contains(key.utf8.count) && key.utf8.allSatisfy { 0x21...0x7E ~= $0 }
    if isKey { return key }
    throw RPCError(
      .invalidArgument, "an Idempotency-Key is 1 to \(Self.idempotencyKeyBytesMax) visible characters of ASCII",
      reason: "IDEMPOTENCY_KEY_INVALID")
  }

  /// Whether the client library makes the call again, because it does not know what became of the one before.
  package var isMadeAgain: Bool { self["attempt"] != nil }

  /// The trace that the call belongs to; nil when there is none. One that is malformed is none (W3C Trace Context,
  /// section 4.3), so that nothing of a caller's making is stored and sent on unseen.
  package var traceparent: String? { trace?.text }

  /// The trace that the call belongs to, read.
  package var trace: TraceParent? { self["traceparent"].flatMap(TraceParent.init) }
}
