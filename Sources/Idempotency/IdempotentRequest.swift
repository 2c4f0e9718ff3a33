package import RPC
package import Wire

/// A request under an Idempotency-Key.
package struct IdempotentRequest: Equatable, Sendable {
  /// The key.
  package var key: IdempotencyKey
  /// The request's bytes: the same key with other bytes is refused.
  package var request: [UInt8]

  /// These bytes under a key.
  package init(_ key: IdempotencyKey, request: [UInt8]) {
    self.key = key
    self.request = request
  }

  /// The request of a call of `method` (such as `CreateOrder`), under the key that came with it; nil when none did.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT for a key or a principal that cannot be stored.
  package init?(_ request: some Message, of method: String, _ metadata: Metadata) throws(RPCError) {
    guard let value = try metadata.idempotencyKey() else { return nil }
    let principal = metadata.principal
    if principal?.subject.utf8.contains(0) == true {
      throw RPCError(.invalidArgument, "the principal must not contain the character U+0000")
    }
    self.init(IdempotencyKey(value, method: method, principal: principal), request: request.encoded())
  }
}
