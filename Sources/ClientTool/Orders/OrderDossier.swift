internal import Messaging
internal import RPC
internal import Wire

/// Everything that is known of one order.
struct OrderDossier: Sendable {
  let id: UUID
  var order: OrderRow?
  var questions: [QuestionRow] = []
  var charge: ChargeRow?
  var entries: [LedgerRow] = []
  var messages: [FoundMessage] = []
  /// How far each database has processed the lane of the order's user: orders the stream PAYMENTS, payments the stream ORDERS.
  var places: [DatabaseName: LaneRow] = [:]
  /// What could not be looked at, and why.
  var gaps: [RPCError] = []

  /// The user, as far as a database knows the order.
  var userID: UUID? { order?.userID ?? charge?.userID }

  /// When messages about it were sent: around the times in which payments was asked, and of what payments did.
  var periods: [ClosedRange<Timestamp>] {
    let moments = [charge?.settledAt].compactMap { $0 } + entries.map(\.createdAt)
    return (order?.periods ?? []) + moments.map { $0...$0 }
  }

  /// Looks into the database of orders.
  mutating func read(orders: DatabaseSession) async throws {
    order = try await orders.query(OrdersTables.order(id)).first.map { try OrderRow($0) }
    questions = try await orders.query(OrdersTables.questions(about: id)).map { try QuestionRow($0) }
    try await readPlace(.orders, orders)
  }

  /// Looks into the database of payments; behind that of orders, which may know whose account it is about.
  mutating func read(payments: DatabaseSession) async throws {
    charge = try await payments.query(PaymentsTables.charge(of: id)).first.map { try ChargeRow($0) }
    guard let userID = charge?.userID ?? order?.userID else { return }
    entries = try await payments.query(PaymentsTables.entries(of: userID, about: id)).map { try LedgerRow($0) }
    try await readPlace(.payments, payments)
  }

  private mutating func readPlace(_ name: DatabaseName, _ database: DatabaseSession) async throws {
    guard let userID else { return }
    let rows = try await database.query(LaneTable.place(of: EventSubject.lane(of: userID)))
    places[name] = try rows.first.map { try LaneRow($0) }
  }
}
