import API
import EventLoop
import Foundation
import Probe
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

  func cancelOrder(_ request: CancelOrderRequest, context: CallContext) async throws -> Order { Order(id: request.id) }

  func listOrderEvents(
    _ request: ListOrderEventsRequest, context: CallContext
  ) async throws -> ListOrderEventsResponse {
    ListOrderEventsResponse()
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
func gozon(_ words: String..., environment: [String: String] = [:], input: String? = nil) async -> Run {
  await gozon(words, environment: environment, input: input)
}

/// Runs the tool on a thread and a loop of its own, with `input` piped in; `onText` is told of all that it writes.
func gozon(
  _ words: [String], environment: [String: String], input: String? = nil,
  interrupts: Interrupts = Interrupts { _, _ in {} }, onText: @escaping @Sendable (String) -> Void = { _ in }
) async -> Run {
  let pipe = Pipe()
  if let input {
    // From a thread of its own: the pipe takes no more than the tool reads.
    Thread.detachNewThread {
      pipe.fileHandleForWriting.write(Data(input.utf8))
      try? pipe.fileHandleForWriting.close()
    }
  }
  let descriptor = input == nil ? STDIN_FILENO : pipe.fileHandleForReading.fileDescriptor
  let run = await gozon(words, environment, input: descriptor, interrupts, onText)
  withExtendedLifetime(pipe) {}
  return run
}

private func gozon(
  _ words: [String], _ environment: [String: String], input: Int32, _ interrupts: Interrupts,
  _ onText: @escaping @Sendable (String) -> Void
) async -> Run {
  let output = Locked("")
  let errors = Locked("")
  let terminal = Terminal(
    input: input,
    output: { text in
      output.withLock { $0 += text }
      onText(text)
    },
    errors: { text in
      errors.withLock { $0 += text }
      onText(text)
    })
  let status = await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(
        returning: ClientTool.run(words, environment: environment, terminal, interrupts).rawValue)
    }
  }
  return Run(status: status, output: output.withLock { $0 }, errors: errors.withLock { $0 })
}

/// Interrupts that a test makes.
final class TestInterrupts: Sendable {
  private let interrupt = Locked<(@Sendable () -> Void)?>(nil)

  /// What the tool watches.
  var interrupts: Interrupts {
    Interrupts { loop, interrupted in
      self.interrupt.withLock { $0 = { loop.execute(interrupted) } }
      return { self.interrupt.withLock { $0 = nil } }
    }
  }

  /// Ctrl-C, from any thread.
  func fire() { interrupt.withLock { $0 }?() }
}

/// Runs `body` with the address of a server of the probe service, or of another in its place.
func withProbe<Result: Sendable>(
  _ service: any ProbeService = ProbeImplementation(),
  _ body: @escaping @Sendable (_ environment: [String: String]) async throws -> Result
) async throws -> Result {
  try await onLoop { loop in
    let server = try RPCServer(
      loop: loop, name: "gozon-probe", host: "127.0.0.1", port: 0, services: [service.definition])
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await server.run() }
      defer { group.cancelAll() }
      return try await body(["GOZON_BACKENDS": "127.0.0.1:\(server.port)"])
    }
  }
}

/// Runs `body` with the address of a server of ``EchoOrders``.
func withServer<Result: Sendable>(
  tls: TLSContextSource? = nil, health: @escaping @Sendable () -> [DependencyHealth] = { [] },
  _ body: @escaping @Sendable (_ environment: [String: String]) async throws -> Result
) async throws -> Result {
  try await onLoop { loop in
    let server = try RPCServer(
      loop: loop, name: "gozon-test", host: "127.0.0.1", port: 0,
      services: [EchoOrders().definition.describing(EventsSchema.file)], tls: tls, health: { ServerHealth(health()) })
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await server.run() }
      defer { group.cancelAll() }
      return try await body(["GOZON_BACKENDS": "127.0.0.1:\(server.port)"])
    }
  }
}
