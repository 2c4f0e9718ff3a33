internal import JetStream

/// Reads the messages of a stream in order, one request for each.
struct StreamReader {
  private let client: JetStreamClient
  private let stream: String
  private let subject: String
  private var next: UInt64
  private let last: UInt64

  /// A reader of what `stream` holds now.
  ///
  /// - Parameters:
  ///   - from: the first sequence; a negative one counts from the end.
  ///   - subject: only what was published on a subject that matches, wildcards allowed.
  /// - Throws: ``JetStreamError`` `.notFound` when there is no such stream.
  init(_ client: JetStreamClient, stream: String, from: Int, subject: String) async throws {
    self.client = client
    self.stream = stream
    self.subject = subject
    last = UInt64(max(0, try await client.streamState(stream).lastSequence))
    let back = UInt64(from.magnitude)
    next = from >= 0 ? UInt64(from) : last >= back ? last - back + 1 : 1
    next = max(1, next)
  }

  /// The next message; nil when there are no more.
  mutating func nextMessage() async throws -> StoredMessage? {
    guard next <= last else { return nil }
    do {
      let message = try await client.message(stream: stream, from: next, subject: subject)
      next = message.sequence + 1
      return message
    } catch let error as JetStreamError where error.code == .notFound {
      return nil
    }
  }
}
