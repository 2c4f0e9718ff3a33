internal import EventLoop
internal import JSON

/// Requests to the JetStream API: a JSON object there, a JSON object back.
// Confined to its connection's event loop.
final class APIRequests: @unchecked Sendable {
  private let connection: NATSConnection
  private let inbox: ReplyInbox
  private let timeout: Duration

  init(connection: NATSConnection, timeout: Duration) {
    self.connection = connection
    self.timeout = timeout
    inbox = ReplyInbox(connection: connection)
  }

  /// Asks `$JS.API.<subject>` and returns what it answers; an error answer is thrown, saying that JetStream did not
  /// do `operation`.
  func request(_ subject: String, _ body: JSONValue? = nil, to operation: String) async throws -> JSONValue {
    connection.loop.preconditionCurrent()
    return try await withUnsafeThrowingContinuation { continuation in
      let pending = PendingRequest(operation: operation, continuation: continuation)
      do {
        try inbox.send("$JS.API." + subject, payload: body?.encoded ?? [], timeout: timeout, to: pending, tag: 0)
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  /// Asks `$JS.API.<subject>` and does not care for the answer; nothing happens when the broker cannot be reached.
  func post(_ subject: String) {
    // Without a place for its answer JetStream ignores a request.
    try? inbox.send("$JS.API." + subject, payload: [], timeout: timeout, to: IgnoredRequest(), tag: 0)
  }

  /// Fails everything under way.
  func close() { inbox.close() }
}

private final class IgnoredRequest: ReplyTaker {
  func replied(_ message: consuming NATSMessage, to tag: Int) {}
  func failed(_ error: JetStreamError, tag: Int) {}
}

private final class PendingRequest: ReplyTaker {
  private let operation: String
  private let continuation: UnsafeContinuation<JSONValue, any Error>

  init(operation: String, continuation: UnsafeContinuation<JSONValue, any Error>) {
    self.operation = operation
    self.continuation = continuation
  }

  func replied(_ message: consuming NATSMessage, to tag: Int) {
    do {
      continuation.resume(returning: try JSONValue(answer: message.payload, to: operation))
    } catch {
      continuation.resume(throwing: error)
    }
  }

  func failed(_ error: JetStreamError, tag: Int) { continuation.resume(throwing: error) }
}

extension JSONValue {
  /// An answer of JetStream; the error it may carry is thrown.
  init(answer payload: Span<UInt8>, to operation: String) throws(JetStreamError) {
    do {
      self = try JSONValue(parsing: payload)
    } catch {
      throw JetStreamError(.protocolViolation, "JetStream's answer is not JSON", detail: error.description)
    }
    if let error = self["error"] { throw JetStreamError(answer: error, to: operation) }
  }
}
