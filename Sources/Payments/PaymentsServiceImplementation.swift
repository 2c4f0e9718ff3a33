package import API
internal import EventLoop
package import Idempotency
internal import Messaging
package import RPC
internal import Service
internal import Wire

/// The methods of `Payments`, from request to store.
package struct PaymentsServiceImplementation: PaymentsService {
  /// The page's size when none is asked for.
  private static let pageSizeDefault = 50

  private let store: PaymentStore
  private let accounts: BatchedReads<UUID, Account>
  private let deposits: DepositBatches
  private let runningKeys: RunningKeys
  private let currency: String

  /// The service over `store`; accounts are in `currency` unless they say otherwise.
  package init(store: PaymentStore, deposits: DepositBatches, runningKeys: RunningKeys, currency: String) {
    self.store = store
    accounts = BatchedReads(loop: store.loop) { try await store.accounts(of: $0, deadline: $1) }
    self.deposits = deposits
    self.runningKeys = runningKeys
    self.currency = currency
  }

  package func createAccount(_ request: CreateAccountRequest, context: CallContext) async throws -> Account {
    if request.userId == .zero {
      throw RPCError.invalid([FieldViolation(pointer: "/userId", detail: "must not be the nil UUID")])
    }
    let account = Account(
      userId: request.userId, balance: 0, currency: request.currency ?? currency, createdAt: .now)
    let idempotency = try IdempotentRequest(request, of: "CreateAccount", context.metadata)
    let outcome = try await runningKeys.answering(idempotency, context.metadata) {
      try await translatingFailures {
        try await repeatingHarmlessly(on: context.loop, isSafeWhenUnknown: true) {
          try await store.createAccount(account, idempotency, deadline: context.deadline)
        }
      }
    }
    return try Self.response(outcome, request.userId, context)
  }

  package func getAccount(_ request: GetAccountRequest, context: CallContext) async throws -> Account {
    guard
      let account = try await translatingFailures({
        try await accounts.value(of: request.userId, deadline: context.deadline)
      })
    else {
      throw Self.noAccount(request.userId)
    }
    return account
  }

  package func deposit(_ request: DepositRequest, context: CallContext) async throws -> Deposit {
    let now = Timestamp.now
    let deposit = NewDeposit(
      id: .v7(now, random: context.loop.random.next()), userID: request.userId, amount: request.amount, createdAt: now,
      idempotency: try IdempotentRequest(request, of: "Deposit", context.metadata))
    let outcome = try await runningKeys.answering(deposit.idempotency, context.metadata) {
      try await translatingFailures { try await deposits.deposit(deposit, deadline: context.deadline) }
    }
    return try Self.response(outcome, request.userId, context)
  }

  package func listEntries(_ request: ListEntriesRequest, context: CallContext) async throws -> ListEntriesResponse {
    let size = request.pageSize.map { Int($0) } ?? Self.pageSizeDefault
    let token = request.pageToken ?? ""
    guard let below = token.isEmpty ? Int64.max : Int64(token, radix: 36), below > 0 else {
      throw RPCError.invalid([
        FieldViolation(pointer: "/pageToken", detail: "is not a token of this list; leave it out for the first page")
      ])
    }
    var entries = try await translatingFailures {
      try await store.entries(of: request.userId, below: below, countMax: size + 1, deadline: context.deadline)
    }
    if entries.isEmpty { _ = try await getAccount(GetAccountRequest(userId: request.userId), context: context) }
    guard entries.count > size else { return ListEntriesResponse(entries: entries, nextPageToken: "") }
    entries.removeLast()
    return ListEntriesResponse(entries: entries, nextPageToken: String(entries[size - 1].id, radix: 36))
  }

  private static func response<Response>(
    _ outcome: IdempotentOutcome<Response>, _ userID: UUID, _ context: CallContext
  ) throws -> Response {
    switch outcome {
    case .done(let response): return response
    case .replayed(let response):
      context.markReplayed()
      return response
    case .keyReused: throw RPCError.idempotencyKeyReused
    case .noAccount: throw noAccount(userID)
    case .accountExists:
      throw RPCError(.alreadyExists, "user \(userID) has an account already", reason: "ACCOUNT_EXISTS")
    case .balanceTooLarge:
      throw RPCError(
        .failedPrecondition,
        "no more than \(AccountState.depositedMax) may be put on an account in all, so that there is room for refunds",
        reason: "BALANCE_TOO_LARGE")
    }
  }

  private static func noAccount(_ userID: UUID) -> RPCError {
    RPCError(.notFound, "user \(userID) has no account; create it first", reason: "NO_ACCOUNT")
  }
}
