internal import JSON
internal import JetStream
internal import Messaging
internal import RPC

extension OrderDossier {
  /// Looks for messages in the streams.
  mutating func read(_ client: JetStreamClient) async throws {
    guard let userID else { return }
    let search = MessageSearch(orderID: id, userID: userID, periods: periods)
    // What is processed of ORDERS is in the database of payments, and the other way round.
    try await read(EventStreams.orders.name, subjects: "orders.*", by: .payments, search, client)
    try await read(EventStreams.payments.name, subjects: "payments.*", by: .orders, search, client)
    try await read(EventStreams.dead.name, subjects: "dead.*.*", by: nil, search, client)
  }

  private mutating func read(
    _ stream: String, subjects prefix: String, by consumer: DatabaseName?, _ search: MessageSearch,
    _ client: JetStreamClient
  ) async throws {
    let created = try await client.streamInfo(stream)["created"]?.string ?? ""
    let (found, isWhole) = try await search.messages(in: stream, subjects: prefix, client)
    let place = consumer.flatMap { places[$0] }
    messages += found.map { message in
      FoundMessage(
        stream: stream, message: message, isProcessed: place.map { $0.hasProcessed(message.sequence, created: created) }
      )
    }
    if !isWhole {
      gaps.append(
        RPCError(
          .resourceExhausted, "stream \(stream) has too many messages around the times of this order to look at all"))
    }
  }
}
