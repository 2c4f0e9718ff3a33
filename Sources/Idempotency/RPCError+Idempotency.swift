package import RPC

// The draft of the IETF, draft-ietf-httpapi-idempotency-key-header, section 2.7: HTTP 422 and 409.
extension RPCError {
  /// The key came before with another request.
  package static var idempotencyKeyReused: RPCError {
    RPCError(
      .invalidArgument, "this Idempotency-Key was used with another request; use a new key for a new request",
      reason: "IDEMPOTENCY_KEY_REUSED")
  }

  /// The first request under the key has no answer yet.
  package static var idempotencyKeyInUse: RPCError {
    RPCError(
      .aborted,
      "a request with this Idempotency-Key is being worked on; repeat it in a moment, and get the answer to the first",
      reason: "IDEMPOTENCY_KEY_IN_USE", retryAfter: .seconds(1))
  }
}

extension CallContext {
  /// Says that the answer is the one that the first request under the key got.
  package func markReplayed() { responseMetadata["idempotency-replayed"] = "true" }
}
