package import Wire

/// Something that was done for a trace, and how long it took (OpenTelemetry, "Trace semantic conventions").
package struct TraceSpan: Sendable {
  /// On which side of what it is.
  package enum Kind: Int, Sendable {
    case `internal` = 1
    case server
    case client
    case producer
    case consumer
  }

  /// What can be said of a span; the words are OpenTelemetry's where it has some.
  package enum Key: String, Sendable {
    case httpMethod = "http.request.method"
    case httpRoute = "http.route"
    case httpStatus = "http.response.status_code"
    case rpcSystem = "rpc.system"
    case rpcService = "rpc.service"
    case rpcMethod = "rpc.method"
    case rpcStatus = "rpc.response.status_code"
    case messagingSystem = "messaging.system"
    case messagingOperation = "messaging.operation.type"
    case messagingDestination = "messaging.destination.name"
    case messagingMessageID = "messaging.message.id"
    case messagingBatchCount = "messaging.batch.message_count"
    case errorType = "error.type"
    case requestID = "gozon.request.id"
    case orderID = "gozon.order.id"
  }

  /// What is said of it.
  package enum Value: Sendable, Equatable {
    case text(String)
    case integer(Int64)
  }

  /// One thing that is said of a span.
  package struct Attribute: Sendable {
    package let key: Key
    package let value: Value

    /// `key` is `text`.
    package init(_ key: Key, _ text: String) { (self.key, value) = (key, .text(text)) }
    /// `key` is `integer`.
    package init(_ key: Key, _ integer: Int) { (self.key, value) = (key, .integer(Int64(integer))) }
  }

  /// What was done, of few different names, such as `POST /v1/orders`.
  package let name: String
  /// On which side.
  package let kind: Kind
  /// The trace, and the span's own id.
  package let context: TraceParent
  /// The span that it was done for; 0 when it began the trace.
  package let parentID: UInt64
  /// When it began.
  package let start: Timestamp
  /// When it ended; not before ``start``.
  package let end: Timestamp
  /// Whether it failed, in a way that is the fault of whoever did it.
  package let isError: Bool
  /// What is said of it.
  package let attributes: [Attribute]
}
