internal import EventLoop
internal import JetStream
internal import Messaging
internal import RPC

/// `gozon dead replay`: publishes messages again that could not be processed.
struct DeadReplayCommand: Command {
  static let syntax = CommandSyntax(
    name: "dead replay",
    summary: "Publishes messages again that could not be processed, and removes them from the dead.",
    details: """
      Each goes where it came from, with its headers. One that is replayed twice, or whose replay was interrupted, does no
      harm: what it asks for is done once. One that still cannot be processed comes back as another dead letter. One that
      was too large to be kept whole is not replayed.
      """,
    operands: [
      .init(name: "SEQUENCE", isOptional: true, isRepeatable: true, help: "As gozon dead ls tells it.")
    ],
    options: [
      .init(name: "all", help: "All that there are now."),
      .init(name: "keep", help: "Leave them among the dead as well."), .natsURL, .timeout,
    ])

  /// Nil for all.
  private let sequences: [UInt64]?
  private let isKeeping: Bool
  private let url: String
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    let sequences = try arguments.sequences()
    guard sequences.isEmpty == arguments.flag("all") else {
      throw UsageError(sequences.isEmpty ? "SEQUENCE is missing; or give --all" : "--all goes without SEQUENCE")
    }
    self.sequences = sequences.isEmpty ? nil : sequences
    isKeeping = arguments.flag("keep")
    url = arguments.text("nats-url") ?? ""
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      let reader = DeadLetterReader(client)
      var status = ExitStatus.ok
      func attempt(_ sequence: UInt64, _ letter: () async throws -> StoredLetter) async throws {
        do {
          terminal.print(try await replay(try await letter(), client))
        } catch let error as RPCError {
          terminal.note("dead letter \(sequence) is not replayed: \(error.message)")
          if status == .ok { status = ExitStatus(error.code) }
        }
      }
      if let sequences {
        for sequence in sequences { try await attempt(sequence) { try await reader.letter(sequence) } }
      } else {
        try await reader.forEach { letter in try await attempt(letter.message.sequence) { letter } }
      }
      return status
    }
  }

  /// Publishes a letter again and removes it, in this order: what is interrupted in between is replayed again.
  ///
  /// - Returns: what was done.
  /// - Throws: ``RPCError`` when this letter cannot be replayed; another error when nothing can.
  private func replay(_ letter: StoredLetter, _ client: JetStreamClient) async throws -> String {
    let message: OutgoingMessage
    do throws(StoredLetter.Unreplayable) {
      message = try letter.replay()
    } catch {
      throw RPCError(.failedPrecondition, error.reason)
    }
    let taken = try await client.publish(message)
    let sequence = letter.message.sequence
    if !isKeeping { try await remove(sequence, client) }
    let place = "\(taken.stream) \(taken.sequence)"
    return "dead letter \(sequence) \(taken.isDuplicate ? "was replayed before as" : "is replayed as") \(place), on "
      + message.subject + (isKeeping ? "; it is kept" : "")
  }

  /// Removes a letter, unless somebody else has just done so.
  private func remove(_ sequence: UInt64, _ client: JetStreamClient) async throws {
    do {
      try await client.deleteMessage(stream: EventStreams.dead.name, sequence: sequence)
    } catch let error as JetStreamError where error.code == .notFound {}
  }
}
