internal import API
internal import Postgres
internal import Wire

/// An order as its database has it.
struct OrderRow: Sendable {
  let userID: UUID
  let amount: Int64
  let currency: String
  let description: String
  let status: Int16
  let reason: Int16?
  let createdAt: Timestamp
  let updatedAt: Timestamp
  let cancelRequestedAt: Timestamp?
  let finishedAt: Timestamp?

  /// Reads a row of ``OrdersTables/order(_:)``.
  init(_ row: Row) throws(PostgresError) {
    (userID, amount, currency, description, status, reason, createdAt, updatedAt, cancelRequestedAt, finishedAt) =
      try row.values(
        (UUID, Int64, String, String, Int16, Int16?, Timestamp, Timestamp, Timestamp?, Timestamp?).self)
  }

  var statusName: String { OrderStatus.name(of: status) }
  var reasonName: String? { reason.map { OrderReason.name(of: $0) } }

  /// What happened to it; not sorted.
  var events: [(kind: OrderEventKind, time: Timestamp)] {
    var events: [(kind: OrderEventKind, time: Timestamp)] = [(.created, createdAt)]
    if let cancelRequestedAt { events.append((.cancelRequested, cancelRequestedAt)) }
    if let finishedAt { events.append((.finished, finishedAt)) }
    switch OrderStatus(rawValue: UInt16(bitPattern: status)) {
    case .finished: events.append((.finished, updatedAt))
    case .cancelled: events.append((.cancelled, updatedAt))
    case .refunded: events.append((.refunded, updatedAt))
    case .new, nil: break
    }
    return events
  }

  /// The times in which payments was asked about it, up to now where there is no answer.
  var periods: [ClosedRange<Timestamp>] {
    let now = Timestamp.now
    let isAnswered = status == Int16(bitPattern: OrderStatus.new.rawValue) ? nil : finishedAt ?? updatedAt
    var periods = [createdAt...max(createdAt, isAnswered ?? now)]
    if let cancelRequestedAt {
      let isPaid = status == Int16(bitPattern: OrderStatus.finished.rawValue)
      periods.append(cancelRequestedAt...max(cancelRequestedAt, isPaid || isAnswered == nil ? now : updatedAt))
    }
    return periods
  }
}

extension MessageEnum {
  /// What a number in a database stands for; the number itself where the schema knows none.
  static func name(of number: Int16) -> String { Self(rawValue: UInt16(bitPattern: number))?.name ?? "\(number)" }
}
