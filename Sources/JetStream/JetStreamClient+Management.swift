internal import EventLoop
package import JSON

/// Streams and consumers on the broker (NATS documentation, "JetStream wire API reference").
extension JetStreamClient {
  /// Creates or updates all of `streams`, in order.
  ///
  /// - Throws: the first failure, when everything has been tried.
  package func ensure(_ streams: [StreamConfiguration]) async throws {
    var failure: (any Error)?
    for stream in streams {
      do { try await ensureStream(stream) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// Creates the stream, or updates it to match.
  ///
  /// - Throws: ``JetStreamError`` `.configurationMismatch` when the existing one cannot be brought to match.
  package func ensureStream(_ configuration: StreamConfiguration) async throws {
    let (name, wanted) = (configuration.name, configuration.json)
    do {
      let info = try await streamInfo(name)
      let existing = info["config"] ?? .null
      let differences = existing.differences(from: wanted)
      if differences.isEmpty { return }
      try await change("stream \(name)", differences) {
        _ = try await api.request(
          "STREAM.UPDATE.\(name)", existing.merging(wanted.members ?? []), to: "update stream \(name)")
      }
    } catch let error as JetStreamError where error.code == .notFound {
      _ = try await api.request("STREAM.CREATE.\(name)", wanted, to: "create stream \(name)")
    }
  }

  /// Makes an ephemeral consumer without acknowledgements (NATS documentation, "Ordered consumers"; ADR-17).
  ///
  /// - Returns: how many messages wait for it.
  func createOrderedConsumer(
    _ name: String, of stream: String, subjects: [String], from start: ReadingStart
  ) async throws -> UInt64 {
    let config: JSONValue = [
      "name": .string(name), "ack_policy": "none", "filter_subjects": .array(subjects.map { .string($0) }),
      "inactive_threshold": .integer(OrderedConsumer.inactiveMax.nanoseconds), "mem_storage": true, "num_replicas": 1,
    ]
    let answer = try await api.request(
      "CONSUMER.CREATE.\(stream).\(name)",
      ["stream_name": .string(stream), "config": config.merging(start.members), "action": "create"],
      to: "create a consumer of stream \(stream)")
    return UInt64(max(0, answer["num_pending"]?.integer ?? 0))
  }

  /// The stream's `config` and `state`, as the broker tells them.
  package func streamInfo(_ name: String) async throws -> JSONValue {
    try await api.request("STREAM.INFO.\(name)", to: "describe stream \(name)")
  }

  /// Which stream it is, and how far it goes now.
  package func streamState(_ name: String) async throws -> StreamState {
    StreamState(try await streamInfo(name))
  }

  /// All streams, each as ``streamInfo(_:)`` would tell.
  package func listStreams() async throws -> [JSONValue] {
    try await list("STREAM.LIST", "streams")
  }

  /// The consumer's `config` and progress, as the broker tells them.
  package func consumerInfo(stream: String, name: String) async throws -> JSONValue {
    try await api.request("CONSUMER.INFO.\(stream).\(name)", to: "describe consumer \(name) of stream \(stream)")
  }

  /// All consumers of a stream, each as ``consumerInfo(stream:name:)`` would tell.
  package func listConsumers(stream: String) async throws -> [JSONValue] {
    try await list("CONSUMER.LIST.\(stream)", "consumers")
  }

  /// The message at `sequence`.
  ///
  /// - Throws: ``JetStreamError`` `.notFound` when there is none.
  package func message(stream: String, sequence: UInt64) async throws -> StoredMessage {
    try await message(stream, ["seq": .integer(Int64(clamping: sequence))])
  }

  /// The first message at `sequence` or later whose subject matches, wildcards allowed.
  ///
  /// - Throws: ``JetStreamError`` `.notFound` when there is none.
  package func message(stream: String, from sequence: UInt64, subject: String) async throws -> StoredMessage {
    try await message(stream, ["seq": .integer(Int64(clamping: sequence)), "next_by_subj": .string(subject)])
  }

  /// The last message whose subject matches, wildcards allowed.
  ///
  /// - Throws: ``JetStreamError`` `.notFound` when there is none.
  package func lastMessage(stream: String, subject: String) async throws -> StoredMessage {
    try await message(stream, ["last_by_subj": .string(subject)])
  }

  /// Removes one message; its sequence stays empty.
  package func deleteMessage(stream: String, sequence: UInt64) async throws {
    _ = try await api.request(
      "STREAM.MSG.DELETE.\(stream)", ["seq": .integer(Int64(clamping: sequence)), "no_erase": true],
      to: "delete a message of stream \(stream)")
  }

  /// Removes the messages of `subject`, or all; returns how many.
  @discardableResult
  package func purge(stream: String, subject: String? = nil) async throws -> Int {
    let body = subject.map { subject -> JSONValue in ["filter": .string(subject)] }
    let answer = try await api.request("STREAM.PURGE.\(stream)", body, to: "purge stream \(stream)")
    return Int(clamping: answer["purged"]?.integer ?? 0)
  }

  /// Removes the stream with its messages and consumers.
  package func deleteStream(_ name: String) async throws {
    _ = try await api.request("STREAM.DELETE.\(name)", to: "delete stream \(name)")
  }

  /// Removes the consumer; the messages stay.
  package func deleteConsumer(stream: String, name: String) async throws {
    _ = try await api.request(
      "CONSUMER.DELETE.\(stream).\(name)", to: "delete consumer \(name) of stream \(stream)")
  }

  // MARK: Helpers

  private func message(_ stream: String, _ selector: JSONValue) async throws -> StoredMessage {
    try StoredMessage(
      try await api.request("STREAM.MSG.GET.\(stream)", selector, to: "find the message in stream \(stream)"))
  }

  /// Pages through a list of the API; bounded by what it says the total is.
  private func list(_ subject: String, _ member: String) async throws -> [JSONValue] {
    var items: [JSONValue] = []
    while true {
      let answer = try await api.request(subject, ["offset": .integer(Int64(items.count))], to: "list \(member)")
      let page = answer[member]?.array ?? []
      items += page
      if page.isEmpty || items.count >= Int(clamping: answer["total"]?.integer ?? 0) { return items }
    }
  }

  private func change(_ what: String, _ differences: [String], _ update: () async throws -> Void) async throws {
    do {
      try await update()
    } catch let error as JetStreamError where error.code == .rejected {
      throw JetStreamError(
        .configurationMismatch, "\(what) differs from what is wanted and cannot be changed",
        detail: differences.joined(separator: "; ") + ": " + (error.detail ?? ""), brokerCode: error.brokerCode)
    }
  }
}
