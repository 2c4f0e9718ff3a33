internal import EventLoop

/// A call that waits for its answer; completed once, on the loop.
// Confined to the event loop of its connection.
package class PendingCall: @unchecked Sendable {
  package let method: UInt16
  package internal(set) var options: CallOptions
  var deadline = LoopInstant(nanoseconds: .max)
  /// Where the call is under way; nil before and after, so that the two do not keep each other.
  var connection: ClientConnection?
  var stream: UInt32 = 0
  /// Whether it has ended; whoever ends it sets this first.
  package var isCompleted = false
  /// Whether it waits when there is no connection.
  var waitsForReady: Bool
  /// The pool that it belongs to, which makes it elsewhere when a server never saw it.
  var pool: RPCPool?
  /// The member of the pool that has it, or had it last.
  var member: Int?
  /// The member of the pool that is to be avoided: it failed the attempt before, or another is under way there.
  var avoided: Int?
  /// Which of its parts are streams.
  var flags: FrameHeader.Flags = []
  /// The responses, when they are a stream.
  var inbound: InboundMessages?
  /// The requests, when they are a stream.
  var outbound: OutboundMessages?
  /// Where a call with a stream was made: what came is on its account until it is read.
  var link: StreamLink?

  var isStreaming: Bool { !flags.isEmpty }

  init(method: UInt16, options: CallOptions) {
    self.method = method
    self.options = options
    waitsForReady = options.waitsForReady
  }

  /// Appends the request message.
  package func appendRequest(to bytes: inout [UInt8]) { preconditionFailure("a subclass knows the request") }

  /// The response message came.
  package func succeed(_ payload: RawSpan, _ metadata: Metadata) {}

  /// The call failed.
  package func fail(_ error: RPCError) {}

  /// Ends the call with `error`, unless it has ended.
  package func end(_ error: RPCError) {
    if isCompleted { return }
    isCompleted = true
    fail(error)
  }

  /// The caller waits no longer: ends the call wherever it is.
  func giveUp(_ error: RPCError) {
    if let connection { connection.giveUp(self, error) } else { end(error) }
  }
}
