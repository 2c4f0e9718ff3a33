import API
import EventLoop
import RPC
import Wire

/// An `Orders` that needs nothing: it answers from the request.
struct EchoOrders: OrdersService {
  /// Told when a handler that was made to hang is cancelled.
  var onCancel: @Sendable () -> Void = {}
  /// Whose every order is; nil to forget to ask.
  var owner: UUID?

  func createOrder(_ request: CreateOrderRequest, context: CallContext) async throws -> Order {
    switch request.description {
    case "hang":
      do {
        try await context.loop.sleep(for: .seconds(60))
      } catch {
        onCancel()
        throw error
      }
    case "slow": try await context.loop.sleep(for: .milliseconds(50))
    case "crash": throw Crash()
    case "conflict":
      throw RPCError(
        .alreadyExists, "it exists", reason: "ORDER_EXISTS",
        violations: [Violation(pointer: "/id", detail: "taken")], retryAfter: .milliseconds(1_500))
    case "metadata": context.responseMetadata["echo"] = context.metadata["ping"]
    case "large":
      return Order(id: request.id ?? .zero, description: String(repeating: "x", count: 5 << 20))
    default: break
    }
    return Order(
      id: request.id ?? .zero, userId: request.userId, amount: request.amount, currency: request.currency ?? "",
      description: request.description ?? "", status: .new)
  }

  func getOrder(_ request: GetOrderRequest, context: CallContext) async throws -> Order {
    if let owner { try context.authorize(owner: owner, orThrow: RPCError(.notFound, "no order", reason: "NO_ORDER")) }
    return Order(id: request.id)
  }

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

  struct Crash: Error {}
}
