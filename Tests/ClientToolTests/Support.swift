import API
import EventLoop
import Foundation
import RPC
import TLS
import TestSupport
import Wire

@testable import ClientTool

/// Orders that are made of their requests.
struct EchoOrders: OrdersService {
  func createOrder(_ request: CreateOrderRequest, context: CallContext) async throws -> Order {
    Order(
      id: request.id ?? .zero, userId: request.userId, amount: request.amount, currency: request.currency ?? "",
      description: context.metadata["idempotency-key"] ?? context.metadata["note"] ?? "", status: .new)
  }

  func getOrder(_ request: GetOrderRequest, context: CallContext) async throws -> Order {
    guard request.id == .zero else { throw RPCError(.notFound, "no order has this id", reason: "NO_ORDER") }
    return Order(id: request.id)
  }

  func listOrders(_ request: ListOrdersRequest, context: CallContext) async throws -> ListOrdersResponse {
    ListOrdersResponse()
  }
}

/// What a run of the tool left behind.
struct Run: Sendable {
  let status: Int32
  let output: String
  let errors: String

  var lines: [Substring] { output.split(separator: "\n") }
}

/// Runs the tool on a thread and a loop of its own.
func gozon(_ words: String..., environment: [String: String] = [:]) async -> Run {
  await gozon(words, environment: environment)
}

/// Runs the tool on a thread and a loop of its own.
func gozon(_ words: [String], environment: [String: String]) async -> Run {
  let output = Locked("")
  let errors = Locked("")
  let terminal = Terminal(
    output: { text in output.withLock { $0 += text } }, errors: { text in errors.withLock { $0 += text } })
  let status = await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(returning: ClientTool.run(words, environment: environment, terminal).rawValue)
    }
  }
  return Run(status: status, output: output.withLock { $0 }, errors: errors.withLock { $0 })
}

/// Runs `body` with the address of a server of ``EchoOrders``.
func withServer<Result: Sendable>(
  tls: TLSContextSource? = nil, health: @escaping @Sendable () -> [DependencyHealth] = { [] },
  _ body: @escaping @Sendable (_ environment: [String: String]) async throws -> Result
) async throws -> Result {
  try await onLoop { loop in
    let server = try RPCServer(
      loop: loop, name: "gozon-test", host: "127.0.0.1", port: 0,
      services: [EchoOrders().definition.describing(EventsSchema.file)], tls: tls, health: health)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await server.run() }
      defer { group.cancelAll() }
      return try await body(["GOZON_BACKENDS": "127.0.0.1:\(server.port)"])
    }
  }
}
