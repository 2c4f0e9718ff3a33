internal import JetStream
internal import Messaging
internal import RPC

/// Reads the stream DEAD.
struct DeadLetterReader {
  private let client: JetStreamClient

  /// A reader by way of `client`.
  init(_ client: JetStreamClient) { self.client = client }

  /// The letter of that sequence.
  ///
  /// - Throws: ``RPCError`` NOT_FOUND when there is none.
  func letter(_ sequence: UInt64) async throws -> StoredLetter {
    do {
      return StoredLetter(message: try await client.message(stream: EventStreams.dead.name, sequence: sequence))
    } catch let error as JetStreamError where error.code == .notFound {
      throw RPCError(.notFound, "there is no dead letter \(sequence)")
    }
  }

  /// Hands the letters that there are now to `body`, the oldest first; not those that come meanwhile.
  func forEach(_ body: (StoredLetter) async throws -> Void) async throws {
    let stream = EventStreams.dead.name
    let last = UInt64(max(0, try await client.streamState(stream).lastSequence))
    var next: UInt64 = 1
    while next <= last, let message = try await message(stream, from: next) {
      next = message.sequence + 1
      try await body(StoredLetter(message: message))
    }
  }

  /// The first message at `sequence` or later; nil when there is none.
  private func message(_ stream: String, from sequence: UInt64) async throws -> StoredMessage? {
    do {
      return try await client.message(stream: stream, from: sequence, subject: ">")
    } catch let error as JetStreamError where error.code == .notFound {
      return nil
    }
  }
}
