internal import EventLoop

/// Where a response's producer writes the body while it is sent.
///
/// What is written in a turn of the loop leaves in one write. One task writes at a time.
// Confined to the event loop of its connection, where the producer runs.
package final class HTTPBodyWriter: @unchecked Sendable {
  /// Makes a body: writes it, and returns where it ends. It runs on the loop, in the task of its request.
  ///
  /// When it throws, the client learns that the body is not whole: HTTP/1.1 closes the connection without the last
  /// chunk, HTTP/2 resets the stream with INTERNAL_ERROR. The task is cancelled when the client goes away, and when the
  /// server shuts down: a producer may still write what there is room for then, and return.
  package typealias Producer = @Sendable (HTTPBodyWriter) async throws -> Void

  /// What one step of a write hands to the connection at most, in bytes.
  private static let pieceBytesMax = 64 * 1024

  private let loop: EventLoop
  private let number: Int
  private var sink: (any HTTPBodySink)?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(loop: EventLoop, sink: any HTTPBodySink, number: Int) {
    self.loop = loop
    self.sink = sink
    self.number = number
  }

  /// Whether the client is still there.
  package var isOpen: Bool { sink != nil }

  /// Sends bytes, and suspends while the client does not take more: ``HTTPLimits/unsentBytesMax`` bounds what is held.
  ///
  /// - Throws: `CancellationError` when the client is gone, or when the task is cancelled and the write would have to
  ///   wait; a part of the bytes may have been sent then.
  package func write(_ bytes: [UInt8]) async throws(CancellationError) {
    loop.preconditionCurrent()
    var rest = bytes[...]
    while !rest.isEmpty {
      let room = try await untilRoom()
      let piece = rest.prefix(min(room, Self.pieceBytesMax))
      rest = rest[piece.endIndex...]
      sink?.write(piece, to: number)
    }
  }

  /// Sends text in UTF-8; see ``write(_:)-([UInt8])``.
  package func write(_ text: String) async throws(CancellationError) { try await write(Array(text.utf8)) }

  /// There may be room for more.
  func wake() {
    waiter?.resume()
    waiter = nil
  }

  /// Nothing that is written is sent any more.
  func end() {
    sink = nil
    wake()
  }

  /// How many bytes may be written, at least one.
  private func untilRoom() async throws(CancellationError) -> Int {
    while let sink {
      let room = sink.room(for: number)
      if room > 0 { return room }
      if Task.isCancelled { break }
      precondition(waiter == nil, "two tasks write one body")
      await withTaskCancellationHandler {
        await withUnsafeContinuation { waiter = $0 }
      } onCancel: {
        loop.execute { self.wake() }
      }
    }
    throw CancellationError()
  }
}

/// A connection that sends bodies while they are made.
protocol HTTPBodySink: AnyObject {
  /// How many more bytes of a response's body are taken now; 0 to wait until the writer is woken.
  func room(for number: Int) -> Int
  /// Sends bytes of a response's body, of which there is room for one at least.
  func write(_ bytes: ArraySlice<UInt8>, to number: Int)
}
