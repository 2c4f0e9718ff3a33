import API
import Payments
import Wire

extension PaymentStore {
  /// Charges orders.
  func settle(_ orders: [OrderCreated], at time: Timestamp) async throws -> [OrderSettled] {
    try await settle(orders.map { .charge($0) }, at: time)
  }

  /// Cancels orders.
  func cancel(_ orders: [OrderCancelled], at time: Timestamp) async throws -> [OrderSettled] {
    try await settle(orders.map { .cancel($0) }, at: time)
  }

  /// A user's account; nil when there is none.
  func account(of userID: UUID) async throws -> Account? { try await accounts(of: [userID])[userID] }
}
