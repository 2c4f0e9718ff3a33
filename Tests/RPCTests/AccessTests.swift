import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

/// Who has a call answered: the marks `@access` of Schemas/orders.gozon, held by the server.
@Suite struct AccessTests {
  private static let owner = UUID(high: 1, low: 2)

  /// What a call made for `principal` ends with: a reason, or nil when it is answered.
  private static func refusal(
    of call: @escaping @Sendable (OrdersClient, CallOptions) async throws -> Void, for principal: Principal?,
    asking service: EchoOrders = EchoOrders()
  ) async throws -> String? {
    try await RPCTests.withPair(service: service) { _, _, client in
      var options = RPCTests.options
      options.metadata.principal = principal
      do {
        try await call(OrdersClient(client), options)
        return nil
      } catch let error as RPCError {
        return error.reason.isEmpty ? "\(error.code)" : error.reason
      }
    }
  }

  private static let strangers = [
    Principal(subject: "\(UUID(high: 9, low: 9))"), Principal(subject: ""), Principal(subject: "a shop"),
    Principal(subject: "\(UUID(high: 9, low: 9))", scopes: ["operators", "Operator", "read"]),
  ]
  private static let admitted: [Principal?] = [
    nil, Principal(subject: "\(owner)"), Principal(subject: "\(owner)".uppercased(), scopes: ["read"]),
    Principal(subject: "an operator", scopes: ["read", "operator"]),
  ]

  @Test(arguments: admitted) func `a user's own are the user's, an operator's and a service's`(principal: Principal?)
    async throws
  {
    let request = RPCTests.request
    #expect(try await Self.refusal(of: { _ = try await $0.createOrder(request, options: $1) }, for: principal) == nil)
    let service = EchoOrders(owner: Self.owner)
    let get = { @Sendable (orders: OrdersClient, options: CallOptions) async throws in
      _ = try await orders.getOrder(GetOrderRequest(id: UUID(high: 3, low: 4)), options: options)
    }
    #expect(try await Self.refusal(of: get, for: principal, asking: service) == nil)
  }

  @Test(arguments: strangers) func `nobody else's`(principal: Principal) async throws {
    let request = RPCTests.request
    #expect(
      try await Self.refusal(of: { _ = try await $0.createOrder(request, options: $1) }, for: principal)
        == "NOT_YOURS")
    let get = { @Sendable (orders: OrdersClient, options: CallOptions) async throws in
      _ = try await orders.getOrder(GetOrderRequest(id: UUID(high: 3, low: 4)), options: options)
    }
    #expect(try await Self.refusal(of: get, for: principal, asking: EchoOrders(owner: Self.owner)) == "NO_ORDER")
  }

  @Test func `everybody's are an operator's`() async throws {
    let list = { @Sendable (orders: OrdersClient, options: CallOptions) async throws in
      _ = try await orders.listOrders(ListOrdersRequest(), options: options)
    }
    #expect(try await Self.refusal(of: list, for: Principal(subject: "\(Self.owner)")) == "OPERATORS_ONLY")
    #expect(try await Self.refusal(of: list, for: Principal(subject: "x", scopes: ["operator"])) == nil)
    #expect(try await Self.refusal(of: list, for: nil) == nil)
  }

  @Test func `an object is not shown by a handler that forgot to ask whose it is`() async throws {
    let get = { @Sendable (orders: OrdersClient, options: CallOptions) async throws in
      _ = try await orders.getOrder(GetOrderRequest(id: UUID(high: 3, low: 4)), options: options)
    }
    #expect(try await Self.refusal(of: get, for: Principal(subject: "\(Self.owner)")) == "\(StatusCode.internal)")
    #expect(try await Self.refusal(of: get, for: nil) == nil)
  }
}
