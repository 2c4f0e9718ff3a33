package import Wire

/// A method as a typed client calls it; made by the schema compiler.
package struct MethodReference<Request: Message, Response: Message>: Sendable {
  /// The service's number in the high byte, the method's in the low one.
  package let id: UInt16
  /// Such as `gozon.orders.Orders/CreateOrder`.
  package let name: String
  /// Whether a repeat does no harm.
  package let isIdempotent: Bool
  /// Whether a repeat does no harm under the caller's idempotency key.
  package let takesIdempotencyKey: Bool
  /// Whether the caller sends a stream of requests.
  package let requestIsStream: Bool
  /// Whether the caller takes a stream of responses.
  package let responseIsStream: Bool

  /// A reference to the method `id`.
  package init(
    id: UInt16, name: String, isIdempotent: Bool, takesIdempotencyKey: Bool = false, requestIsStream: Bool = false,
    responseIsStream: Bool = false
  ) {
    self.id = id
    self.name = name
    self.isIdempotent = isIdempotent
    self.takesIdempotencyKey = takesIdempotencyKey
    self.requestIsStream = requestIsStream
    self.responseIsStream = responseIsStream
  }

  /// Whether a call with these options may be made again when it is not known what became of it.
  func isRepeatable(_ options: CallOptions) -> Bool {
    if requestIsStream { return false }
    if let isRepeatable = options.isRepeatable { return isRepeatable }
    return isIdempotent || takesIdempotencyKey && options.metadata["idempotency-key"] != nil
  }
}
