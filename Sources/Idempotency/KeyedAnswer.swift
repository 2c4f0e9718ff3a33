/// The first answer under an Idempotency-Key: a row of the table `idempotency_keys`.
package struct KeyedAnswer: Equatable, Sendable {
  /// What was asked, and under which key.
  package let request: IdempotentRequest
  /// The bytes of the response.
  package let response: [UInt8]

  /// What was answered to `request`.
  package init(to request: IdempotentRequest, response: [UInt8]) {
    self.request = request
    self.response = response
  }
}
