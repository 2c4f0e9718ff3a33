import API
import EventLoop
import Foundation
import Idempotency
import Postgres
import RPC
import TestSupport
import Testing
import Wire

@testable import Payments

/// A database that is lost in the middle of a commit: what a caller is told is what is so.
@Suite struct LostCommitTests {
  /// Runs `body` with a store whose connection is cut at the first COMMIT, and one that sees the truth.
  private static func withCut(
    _ moment: CuttingProxy.Moment, _ body: @escaping @Sendable (PaymentStore, PostgresPool) async throws -> Void
  ) async throws {
    let url = try TestDatabase.make("lost_commit")
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "payments", on: loop) { truth in
        var components = try #require(URLComponents(string: url))
        let proxy = try CuttingProxy(
          loop: loop, target: try #require(components.port), word: "COMMIT\0", moment: moment, cuts: 0)
        defer { proxy.close() }
        components.port = proxy.port
        try await TestDatabase.withPool(try #require(components.string), service: "payments", on: loop) { cut in
          proxy.cutsLeft = 1
          try await body(PaymentStore(cut), truth)
          #expect(proxy.cutsLeft == 0)
        }
      }
    }
  }

  @Test(arguments: [CuttingProxy.Moment.beforeTheServerHears, .beforeTheClientHears])
  func `a deposit is made exactly once`(moment: CuttingProxy.Moment) async throws {
    try await Self.withCut(moment) { store, truth in
      let user = try await PaymentStoreTests.user(PaymentStore(truth), balance: 0)
      let deposits = DepositBatches(loop: truth.loop, store: store)
      let outcome = try await deposits.deposit(PaymentStoreTests.deposit(user, 7))
      guard case .done(let deposit) = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(deposit.balance == 7)
      let entries = try await PaymentStore(truth).entries(of: user, below: .max, countMax: 10)
      #expect(entries.map(\.depositId) == [deposit.id])
      try await PaymentStoreTests.audit(truth, user)
    }
  }

  @Test(arguments: [CuttingProxy.Moment.beforeTheServerHears, .beforeTheClientHears])
  func `an account is opened, and its opener is not told that it exists already`(
    moment: CuttingProxy.Moment
  ) async throws {
    try await Self.withCut(moment) { store, truth in
      let service = PaymentsServiceImplementation(
        store: store, deposits: DepositBatches(loop: truth.loop, store: store),
        runningKeys: RunningKeys(loop: truth.loop),
        currency: "RUB")
      let user = UUID.random()
      let account = try await service.createAccount(
        CreateAccountRequest(userId: user), context: CallContext(loop: truth.loop))
      #expect(try await PaymentStore(truth).account(of: user) == account)
    }
  }

  @Test(arguments: [CuttingProxy.Moment.beforeTheServerHears, .beforeTheClientHears])
  func `an order is charged once`(moment: CuttingProxy.Moment) async throws {
    try await Self.withCut(moment) { store, truth in
      let user = try await PaymentStoreTests.user(PaymentStore(truth), balance: 100)
      let order = OrderCreated(orderId: .random(), userId: user, amount: 10, currency: "RUB", createdAt: .now)
      let error = await #expect(throws: PostgresError.self) { try await store.settle([order], at: .now) }
      #expect(error?.code == .unknownOutcome)
      let results = try await store.settle([order], at: .now)
      #expect(results.map(\.outcome) == [.charged])
      #expect(try await PaymentStore(truth).account(of: user)?.balance == 90)
      try await PaymentStoreTests.audit(truth, user)
    }
  }
}
