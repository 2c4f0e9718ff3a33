package import Tracing

/// Makes a span of each call that belongs to a sampled trace.
package struct CallTracing: ServerInterceptor {
  private let tracer: Tracer

  /// Spans for `tracer`.
  package init(_ tracer: Tracer) { self.tracer = tracer }

  package func callBegan(_ context: CallContext) throws(RPCError) {
    if let span = tracer.begin(under: context.metadata.trace, began: context.beginning) { context.trace(as: span) }
  }

  package func callEnded(_ context: CallContext, _ status: StatusCode) {
    guard let span = context.span else { return }
    var attributes = TraceSpan.Attribute.ofCall(context.methodName, status)
    if let id = context.metadata["request-id"] { attributes.append(.init(.requestID, id)) }
    tracer.end(span, context.methodName, .server, isError: status.isServersFault, attributes)
  }
}

extension TraceSpan.Attribute {
  /// What is said of a call (OpenTelemetry, "Semantic conventions for RPC").
  ///
  /// - Parameter method: such as `gozon.orders.Orders/CreateOrder`.
  package static func ofCall(_ method: String, _ status: StatusCode) -> [TraceSpan.Attribute] {
    let parts = method.split(separator: "/", maxSplits: 1)
    return [
      .init(.rpcSystem, "gozon"), .init(.rpcService, String(parts.first ?? "")),
      .init(.rpcMethod, String(parts.last ?? "")), .init(.rpcStatus, status.name),
    ]
  }
}

extension StatusCode {
  /// Whether whoever was called failed, and not whoever called (OpenTelemetry, "Semantic conventions for gRPC").
  package var isServersFault: Bool {
    switch self {
    case .unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss: true
    default: false
    }
  }
}
