package import EventLoop
package import Tracing

// Confined to the event loop of its connection, where handlers run. Public for what is inlinable in its extension.
/// What a handler knows of the call it answers.
///
/// A handler is cancelled when its caller gives up, disconnects, or the deadline passes.
public final class CallContext: @unchecked Sendable {
  /// The values that came beside the request; of a call that is traced, the trace goes on from the call's own span.
  package private(set) var metadata: Metadata
  /// When the caller stops waiting.
  package let deadline: LoopInstant
  /// The values that go beside the response.
  package var responseMetadata = Metadata()
  /// The loop that runs the handler.
  package let loop: EventLoop

  let stream: UInt32
  /// What is called; nil in tests of a handler alone.
  let method: ServerMethod?
  /// Who gets the answer; nil in tests of a handler alone.
  let connection: ServerConnection?
  let began: LoopInstant
  /// The messages of the caller, when they are a stream.
  var inbound: InboundMessages?
  /// The messages to the caller, when they are a stream.
  var outbound: OutboundMessages?
  /// The handler, once it has suspended: while it has not, nothing else can happen.
  var task: Task<Void, Never>?
  /// Whether the handler has returned.
  var isFinished = false
  /// Who the call is made for; nil when it is the calling service's own.
  package let principal: Principal?
  /// The call as a part of its trace; nil when it is not traced.
  package private(set) var span: OpenSpan?
  /// Whether the handler still has to find out whose the object is that it is about to change or show.
  package internal(set) var mustAuthorize = false

  /// A call without a connection, as for tests.
  package convenience init(loop: EventLoop, timeout: Duration = .seconds(10), metadata: Metadata = [:]) {
    self.init(
      loop: loop, deadline: loop.now + timeout, metadata: metadata, stream: 0, method: nil, connection: nil)
  }

  init(
    loop: EventLoop, deadline: LoopInstant, metadata: Metadata, stream: UInt32, method: ServerMethod?,
    connection: ServerConnection?
  ) {
    self.loop = loop
    self.deadline = deadline
    self.metadata = metadata
    self.stream = stream
    self.method = method
    self.connection = connection
    began = loop.now
    principal = metadata.principal
  }

  /// The call is traced as `span`: whatever it asks of others is done for that.
  package func trace(as span: OpenSpan) {
    self.span = span
    metadata["traceparent"] = span.context.text
  }

  /// When the call came.
  package var beginning: LoopInstant { began }

  /// The time until the deadline; not positive when it has passed.
  package var timeRemaining: Duration { deadline - loop.now }

  /// The method, such as `gozon.orders.Orders/CreateOrder`; empty in tests of a handler alone.
  package var methodName: String { method?.name ?? "" }

  /// What the caller calls itself; empty when it does not say.
  package var callerName: String { connection?.peerName ?? "" }

  /// Whether the call's messages are moved by the connection, which therefore has known it from the start.
  var isStreaming: Bool { method?.isStreaming ?? false }
}
