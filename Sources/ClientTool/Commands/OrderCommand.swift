internal import EventLoop
internal import RPC
internal import Service
internal import Wire

/// `gozon order`: everything that is known of one order.
struct OrderCommand: Command {
  static let syntax = CommandSyntax(
    name: "order", summary: "Tells everything that is known of one order, in the order of time.",
    details: """
      Its row and timeline, its charge and what it moved in the ledger, what payments is being asked about it, and the
      messages of the streams, each with whether it has had its effect. Messages are looked for around the times at which
      something happened to the order. What cannot be reached is said, and the rest is shown; the exit status is then that
      of what went wrong.
      """,
    operands: [.init(name: "ID", help: "The order.")],
    options: [.json, .ordersDatabase, .paymentsDatabase, .natsURL, .backends, .timeout]
      + CommandSyntax.Option.rpcSecurity)

  private let id: UUID
  private let urls: [DatabaseName: String]
  private let isJSON: Bool
  private let natsURL: String
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    let text = arguments.operand(0) ?? ""
    guard let id = UUID(text) else { throw UsageError("ID must be a UUID, not '\(text)'") }
    self.id = id
    var urls: [DatabaseName: String] = [:]
    for name in [DatabaseName.orders, .payments] { urls[name] = arguments.databaseURL(name) }
    self.urls = urls
    isJSON = arguments.flag("json")
    natsURL = arguments.text("nats-url") ?? ""
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    var dossier = OrderDossier(id: id)
    await dossier.fill { dossier in
      try await with(.orders, loop) { try await dossier.read(orders: $0) }
    }
    await dossier.fill { dossier in
      try await with(.payments, loop) { try await dossier.read(payments: $0) }
    }
    guard dossier.userID != nil else {
      throw dossier.gaps.first ?? RPCError(.notFound, "no order has the id \(id)", reason: "NO_ORDER")
    }
    await dossier.fill { dossier in
      try await Streams.with(url: natsURL, timeout: timeout, on: loop) { try await dossier.read($0) }
    }
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    var view = MessageView(catalog)
    terminal.print(isJSON ? "\(dossier.json(&view))" : dossier.text(&view))
    for problem in dossier.gaps + catalog.failures { terminal.note(problem.message) }
    return dossier.gaps.first.map { ExitStatus($0.code) } ?? .ok
  }

  private func with(
    _ name: DatabaseName, _ loop: EventLoop, _ body: (DatabaseSession) async throws -> Void
  ) async throws {
    guard let url = urls[name] else {
      throw RPCError(.unavailable, "nothing is known of \(name): set --database-url-\(name)")
    }
    try await DatabaseSession.with(name, url: url, timeout: timeout, on: loop, body)
  }
}

extension OrderDossier {
  /// Looks somewhere; when that fails, says so and goes on.
  fileprivate mutating func fill(_ look: (inout OrderDossier) async throws -> Void) async {
    do {
      try await look(&self)
    } catch {
      gaps.append(RPCError(thrown: error))
    }
  }
}
