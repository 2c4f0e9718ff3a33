package import Wire

/// Something that calls can be made on: one client, or several behind a balancer.
package protocol CallChannel: Sendable {
  /// Calls `method` and decodes its response.
  ///
  /// - Throws: ``RPCError``, whatever went wrong.
  func unary<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response

  /// Begins a call of a `method` whose requests or responses are a stream. Only on the loop.
  ///
  /// - Parameter request: the one request; nil when they are a stream.
  func stream<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response>

  /// Calls the method `id` with an encoded request.
  ///
  /// - Throws: ``RPCError``, whatever went wrong.
  func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult
}

/// What a call returned, still encoded.
package struct CallResult: Sendable {
  /// The response message.
  package var payload: [UInt8]
  /// What came beside it.
  package var metadata: Metadata

  /// A result of these parts.
  package init(payload: [UInt8], metadata: Metadata = [:]) {
    self.payload = payload
    self.metadata = metadata
  }
}
