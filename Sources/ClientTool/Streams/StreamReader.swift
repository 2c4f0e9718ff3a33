internal import EventLoop
internal import JetStream

/// Reads the messages of a stream in order.
enum StreamReader {
  /// Messages that are asked for ahead.
  private static let capacity = 256
  /// The wait before a broker is asked again that was lost.
  private static let pause: Duration = .milliseconds(500)

  /// Hands over the messages that are selected of those that a stream holds now, `countMax` at most.
  ///
  /// - Parameter otherwise: the first sequence when none is selected; a negative one counts from the end.
  /// - Throws: ``JetStreamError`` `.notFound` when there is no such stream; `CancellationError`.
  static func read(
    _ client: JetStreamClient, stream: String, _ selection: MessageSelection, otherwise: Int, countMax: Int,
    _ take: (StoredMessage) -> Void
  ) async throws {
    let last = UInt64(max(0, try await client.streamState(stream).lastSequence))
    let start = selection.readingStart(last: last, otherwise: otherwise)
    let reader = try await client.read(stream, subjects: selection.subjects, from: start, capacity: capacity)
    defer { reader.close() }
    var (pending, count) = (reader.pendingCount, 0)
    while pending > 0 {
      for message in try await reader.next(capacity) {
        // What comes meanwhile would have no end.
        guard message.sequence <= last, count < countMax else { return }
        pending = message.delivery.pendingCount
        if !selection.wants(message) { continue }
        take(try StoredMessage(message))
        count += 1
      }
    }
  }

  /// Hands over the messages that are selected as they come, `countMax` at most; those after the last one that there is
  /// unless the selection begins before.
  ///
  /// - Parameter lost: is told why no messages come any more, once each time.
  /// - Throws: ``JetStreamError`` `.notFound` when there is no such stream; `CancellationError`.
  static func follow(
    _ client: JetStreamClient, stream: String, _ selection: MessageSelection, countMax: Int, lost: (String) -> Void,
    _ take: (StoredMessage) -> Void
  ) async throws {
    let last = UInt64(max(0, try await client.streamState(stream).lastSequence))
    var start = selection.readingStart(last: last, otherwise: Int(clamping: last) + 1)
    var (count, isLost) = (0, false)
    while count < countMax {
      do {
        let reader = try await client.read(stream, subjects: selection.subjects, from: start, capacity: capacity)
        defer { reader.close() }
        isLost = false
        while count < countMax {
          for message in try await reader.next(capacity) where count < countMax {
            start = .sequence(message.sequence + 1)
            if !selection.wants(message) { continue }
            take(try StoredMessage(message))
            count += 1
          }
        }
      } catch let error as JetStreamError where error.code == .unavailable || error.code == .timeout {
        if !isLost { lost("\(error); waiting for it") }
        isLost = true
        try await client.loop.sleep(for: pause)
      }
    }
  }
}
