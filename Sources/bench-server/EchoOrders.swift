internal import API
internal import EventLoop
internal import RPC
internal import Wire

/// Orders that are made of their requests and kept nowhere.
struct EchoOrders: OrdersService {
  /// Whether a handler gives the loop away once before it answers, as one that asks a database does.
  let suspends: Bool
  /// Makes an answer of 200 bytes to a request of 100.
  private static let description = String(repeating: "0123456789", count: 11) + "abc"

  func createOrder(_ request: CreateOrderRequest, context: CallContext) async throws -> Order {
    if suspends { await untilEndOfTurn(context) }
    return Order(
      id: request.id ?? .zero, userId: request.userId, amount: request.amount, currency: request.currency ?? "",
      description: Self.description, status: .new)
  }

  /// Waits as a handler waits whose work is done together with that of the others.
  private func untilEndOfTurn(_ context: CallContext) async {
    await withUnsafeContinuation { continuation in context.loop.atEndOfTurn { continuation.resume() } }
  }

  func getOrder(_ request: GetOrderRequest, context: CallContext) async throws -> Order { Order(id: request.id) }

  func listOrders(_ request: ListOrdersRequest, context: CallContext) async throws -> ListOrdersResponse {
    ListOrdersResponse()
  }

  func cancelOrder(_ request: CancelOrderRequest, context: CallContext) async throws -> Order { Order(id: request.id) }

  func listOrderEvents(
    _ request: ListOrderEventsRequest, context: CallContext
  ) async throws -> ListOrderEventsResponse {
    ListOrderEventsResponse()
  }

  func watchOrders(
    _ request: WatchOrdersRequest, responses: ResponseWriter<Order>, context: CallContext
  ) async throws {}
}
