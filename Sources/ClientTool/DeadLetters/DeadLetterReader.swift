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
    var reader = try await StreamReader(client, stream: EventStreams.dead.name, from: 1, subject: ">")
    while let message = try await reader.nextMessage() { try await body(StoredLetter(message: message)) }
  }
}
