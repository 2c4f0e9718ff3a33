internal import EventLoop
internal import Service

/// `gozon verify`: whether everything that must hold of orders and money does.
struct VerifyCommand: Command {
  static let syntax = CommandSyntax(
    name: "verify", summary: "Recomputes from both databases whether every order and every sum is right.",
    details: """
      A line for each check; where one is broken, another for each order or account with what is wrong with it. It may run
      while the system works: what is told of was broken in one moment of a database, or for seconds between the two of them.
      It reads whole tables, a statement after the other, writes nothing and locks nobody out. Exit status 1 when anything
      is broken.
      """,
    options: [
      .ordersDatabase, .paymentsDatabase,
      .init(
        name: "stuck-after", value: "TIME", defaultValue: "60s",
        help: "How long an order may wait for its payment or its cancellation."),
      .init(name: "limit", value: "N", defaultValue: "20", help: "Tell of so many breaches of each check."),
      .init(name: "timeout", value: "TIME", defaultValue: "10m", help: "How long a statement may take."), .json,
    ])

  private let ordersURL: String
  private let paymentsURL: String
  private let stuckAfter: Duration
  private let limit: Int
  private let timeout: Duration
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    ordersURL = try Self.url(.orders, arguments)
    paymentsURL = try Self.url(.payments, arguments)
    stuckAfter = try arguments.duration("stuck-after") ?? .seconds(60)
    limit = try arguments.integer("limit", in: 1...100_000) ?? 20
    timeout = try arguments.duration("timeout") ?? .seconds(600)
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await DatabaseSession.with(.orders, url: ordersURL, timeout: timeout, on: loop) { orders in
      try await DatabaseSession.with(.payments, url: paymentsURL, timeout: timeout, on: loop) { payments in
        let system = AuditedSystem(loop: loop, orders: orders, payments: payments)
        return try await Verification(limit: limit, isJSON: isJSON, terminal: terminal).run(
          Checks.all(stuckAfter: stuckAfter), at: system)
      }
    }
  }

  private static func url(_ name: DatabaseName, _ arguments: Arguments) throws(UsageError) -> String {
    guard let url = arguments.databaseURL(name) else {
      let variable = "GOZON_DATABASE_URL_\(name.rawValue.uppercased())"
      throw UsageError("--database-url-\(name) is missing; tools/gozon sets \(variable) while the system is up")
    }
    return url
  }
}
