/// What a server takes from its clients at most.
package struct HTTPLimits: Sendable {
  /// Bytes of a request line; longer ones are answered with 414. The length that RFC 9112 section 3 recommends.
  package var requestLineBytesMax = 8_000
  /// Bytes of a whole head; longer ones are answered with 431.
  package var headBytesMax = 16 * 1024
  /// Fields of a head; more are answered with 431.
  package var fieldsMax = 100
  /// Bytes of a body, chunk framing included; longer ones are answered with 413.
  package var bodyBytesMax = 1 << 20
  /// Requests of one connection in work at once; what comes after them waits in the socket.
  package var pipelineDepthMax = 32
  /// Requests of one HTTP/2 connection in work at once; further ones are refused (REFUSED_STREAM), and a client that goes on
  /// is sent away.
  package var streamsMax = 100
  /// Bytes of bodies, in and out, that the requests of one HTTP/2 connection hold together; further requests are refused.
  package var heldBytesMax = 16 << 20
  /// Bytes of bodies that the requests of all connections hold together; further requests with a body are answered with 503.
  /// As many again may be held by responses of HTTP/2; then further streams are refused of connections that hold some.
  package var heldBytesInAllMax = 64 << 20
  /// Bytes of unsent responses at which a connection is not read any more, and at which the producers of bodies wait.
  package var unsentBytesMax = 256 * 1024
  /// Bytes of a message that a WebSocket takes; longer ones close it with 1009.
  package var webSocketMessageBytesMax = 64 * 1024
  /// Open connections; further ones are answered with 503 and closed.
  package var connectionsMax = 10_000
  /// Requests in work over all connections; further ones are answered with 503. Those whose responses are being sent while
  /// they are made, and WebSockets, do not count: connections bound them.
  package var requestsMax = 10_000
  /// From the first byte of a head to its last; longer is answered with 408.
  package var headTimeout: Duration = .seconds(10)
  /// From the end of a head to the end of its body; longer is answered with 408.
  package var bodyTimeout: Duration = .seconds(30)
  /// How long a connection may lie idle between two requests before it is closed.
  package var idleTimeout: Duration = .seconds(75)
  /// How long responses may lie unsent because the client does not read; then the connection is cut.
  package var sendTimeout: Duration = .seconds(30)
  /// How long nothing may come from a WebSocket before it is pinged, and again until it is cut.
  package var webSocketPingInterval: Duration = .seconds(30)
  /// How long a client may take to close a WebSocket that we have closed.
  package var webSocketCloseTimeout: Duration = .seconds(5)
  /// How long a graceful shutdown waits for requests in work; then they are cancelled.
  package var drainTimeout: Duration = .seconds(10)

  /// The defaults.
  package init() {}
}
