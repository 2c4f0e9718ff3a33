internal import EventLoop

/// One client's WebSocket (RFC 6455), as its handler uses it: messages in, by ``next()`` or `for await`, and out. Pings are
/// answered, and sent, without it.
// Confined to the event loop of its connection, where the handler runs.
package final class WebSocket: @unchecked Sendable {
  /// Talks with a client until it returns, which closes with 1000; when it throws, that closes with 1011. It runs on the
  /// loop; its task is cancelled when the client is gone, and when the server shuts down, which closes with 1001.
  package typealias Handler = @Sendable (WebSocket) async throws -> Void

  private let loop: EventLoop
  private weak var connection: WebSocketConnection?
  private var received = FIFO<WebSocketMessage>()
  private var receivedBytes = 0
  private var receiver: UnsafeContinuation<Void, Never>?
  private var senders: [UnsafeContinuation<Void, Never>] = []
  private var isFinished = false
  /// The protocol that was chosen of those that the client offered; nil when there is none.
  package let subprotocol: String?
  /// What the client, or we, closed with; 1006 when the connection broke, and nil while it is open.
  package private(set) var closeCode: UInt16?
  /// What the client said when it closed.
  package private(set) var closeReason = ""

  init(loop: EventLoop, connection: WebSocketConnection, subprotocol: String?) {
    self.loop = loop
    self.connection = connection
    self.subprotocol = subprotocol
  }

  /// The client's next message; nil when no more come. One task receives at a time.
  ///
  /// While the handler takes none, the client is not read, but for what has come.
  ///
  /// - Throws: `CancellationError` when the task is cancelled while it waits.
  package func next() async throws(CancellationError) -> WebSocketMessage? {
    loop.preconditionCurrent()
    while true {
      if let message = received.popFirst() {
        receivedBytes -= message.count
        connection?.messageTaken()
        return message
      }
      if isFinished { return nil }
      if Task.isCancelled { throw CancellationError() }
      precondition(receiver == nil, "two tasks receive from one WebSocket")
      await withTaskCancellationHandler {
        await withUnsafeContinuation { receiver = $0 }
      } onCancel: {
        loop.execute { self.wakeReceiver() }
      }
    }
  }

  /// Sends a text; see ``send(_:)``.
  package func send(text: String) async throws(CancellationError) { try await send(.text(text)) }

  /// Sends bytes; see ``send(_:)``.
  package func send(binary bytes: [UInt8]) async throws(CancellationError) { try await send(.binary(bytes)) }

  /// Sends a message, and suspends first while the client does not take more: ``HTTPLimits/unsentBytesMax`` bounds what is
  /// held beside this message.
  ///
  /// - Throws: `CancellationError` when the WebSocket is closed, or when the task is cancelled and would have to wait.
  package func send(_ message: WebSocketMessage) async throws(CancellationError) {
    loop.preconditionCurrent()
    while let connection, connection.isOpen {
      if connection.hasRoom { return connection.send(message) }
      if Task.isCancelled { break }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { senders.append($0) }
      } onCancel: {
        loop.execute { self.wakeSenders() }
      }
    }
    throw CancellationError()
  }

  /// Closes with a code (RFC 6455 section 7.4) and a reason of 123 bytes at most; what the client still sends is dropped.
  package func close(code: UInt16 = 1_000, reason: String = "") {
    loop.preconditionCurrent()
    connection?.close(code: code, reason: reason)
  }

  /// Whether so much waits for the handler that the client should wait too.
  var isFull: Bool { receivedBytes > 64 * 1024 || received.count > 64 }

  func messageReceived(_ message: WebSocketMessage) {
    received.append(message)
    receivedBytes += message.count
    wakeReceiver()
  }

  /// No more messages come or go.
  func finished(code: UInt16, reason: String) {
    if closeCode == nil {
      closeCode = code
      closeReason = reason
    }
    isFinished = true
    wakeReceiver()
    wakeSenders()
  }

  func wakeSenders() {
    let waiting = senders
    senders = []
    for sender in waiting { sender.resume() }
  }

  private func wakeReceiver() {
    receiver?.resume()
    receiver = nil
  }
}

extension WebSocket: AsyncSequence {
  /// Goes through the messages of a WebSocket.
  package struct Iterator: AsyncIteratorProtocol {
    fileprivate let socket: WebSocket

    /// The next message; see ``WebSocket/next()``.
    package func next() async throws(CancellationError) -> WebSocketMessage? { try await socket.next() }
  }

  /// Goes on with the messages that have not been taken.
  package func makeAsyncIterator() -> Iterator { Iterator(socket: self) }
}
