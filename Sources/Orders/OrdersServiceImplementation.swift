package import API
internal import EventLoop
package import Idempotency
internal import Messaging
internal import Postgres
package import RPC
internal import Service
internal import Wire

/// The methods of `Orders`, from request to store.
package struct OrdersServiceImplementation: OrdersService {
  private let store: OrderStore
  private let orders: BatchedReads<UUID, Order>
  private let creation: OrderCreation
  private let cancellation: OrderCancellation
  private let runningKeys: RunningKeys
  private let watching: OrderWatching
  private let currency: String

  /// The service over `store`; orders are in `currency` unless they say otherwise.
  package init(
    store: OrderStore, creation: OrderCreation, cancellation: OrderCancellation, runningKeys: RunningKeys,
    watching: OrderWatching,
    currency: String
  ) {
    self.store = store
    orders = BatchedReads(loop: store.pool.loop) { try await store.orders($0, deadline: $1) }
    self.creation = creation
    self.cancellation = cancellation
    self.runningKeys = runningKeys
    self.watching = watching
    self.currency = currency
  }

  package func createOrder(_ request: CreateOrderRequest, context: CallContext) async throws -> Order {
    let new = try OrderRules.newOrder(
      request, metadata: context.metadata, currency: currency, now: .now, random: context.loop.random.next())
    let outcome = try await runningKeys.answering(new.idempotency, context.metadata) {
      try await translatingFailures { try await creation.create(new, deadline: context.deadline) }
    }
    switch outcome {
    case .created: return new.order
    case .repeated(let order): return order
    case .replayed(let order):
      context.markReplayed()
      return order
    case .idTaken:
      throw RPCError(.alreadyExists, "another order has the id \(new.id); use a new one", reason: "ORDER_EXISTS")
    case .keyReused: throw RPCError.idempotencyKeyReused
    }
  }

  package func getOrder(_ request: GetOrderRequest, context: CallContext) async throws -> Order {
    guard
      let order = try await translatingFailures({
        try await orders.value(of: request.id, deadline: context.deadline)
      })
    else {
      throw Self.noOrder(request.id)
    }
    try context.authorize(owner: order.userId, orThrow: Self.noOrder(request.id))
    return order
  }

  package func cancelOrder(_ request: CancelOrderRequest, context: CallContext) async throws -> Order {
    try await authorize(request.id, context)
    let cancel = CancelRequest(
      orderID: request.id, idempotency: try IdempotentRequest(request, of: "CancelOrder", context.metadata),
      traceparent: context.metadata.traceparent)
    let outcome = try await runningKeys.answering(cancel.idempotency, context.metadata) {
      try await translatingFailures { try await cancellation.cancel(cancel, deadline: context.deadline) }
    }
    switch outcome {
    case .recorded(let order): return order
    case .replayed(let order):
      context.markReplayed()
      return order
    case .keyReused: throw RPCError.idempotencyKeyReused
    case .noOrder: throw Self.noOrder(request.id)
    }
  }

  package func listOrderEvents(
    _ request: ListOrderEventsRequest, context: CallContext
  ) async throws -> ListOrderEventsResponse {
    try await authorize(request.id, context)
    guard
      let events = try await translatingFailures({
        try await store.timeline(of: request.id, deadline: context.deadline)
      })
    else {
      throw Self.noOrder(request.id)
    }
    return ListOrderEventsResponse(events: events)
  }

  package func listOrders(_ request: ListOrdersRequest, context: CallContext) async throws -> ListOrdersResponse {
    let page = try OrderPage(request)
    var orders = try await translatingFailures {
      try await store.orders(of: request.userId, status: request.status, page: page, deadline: context.deadline)
    }
    guard orders.count > page.size, let last = orders.prefix(page.size).last else {
      return ListOrdersResponse(orders: orders, nextPageToken: "")
    }
    orders.removeLast()
    return ListOrdersResponse(orders: orders, nextPageToken: OrderPage.token(after: last))
  }

  package func watchOrders(
    _ request: WatchOrdersRequest, responses: ResponseWriter<Order>, context: CallContext
  ) async throws {
    try await watching.watch(request, responses, context)
  }

  /// Goes on when the order is the caller's, if that matters.
  private func authorize(_ id: UUID, _ context: CallContext) async throws {
    if context.mustAuthorize { _ = try await getOrder(GetOrderRequest(id: id), context: context) }
  }

  private static func noOrder(_ id: UUID) -> RPCError {
    RPCError(.notFound, "no order has the id \(id)", reason: "NO_ORDER")
  }
}
