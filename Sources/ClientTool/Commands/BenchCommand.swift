internal import EventLoop
internal import RPC
internal import Schema
internal import Service

/// `gozon bench`: loads a method and measures it.
struct BenchCommand: Command {
  static let syntax = CommandSyntax(
    name: "bench", summary: "Loads a method and tells its throughput and latency.",
    details: """
      Without --rate so many callers wait for each answer before they call again (closed loop): that finds the highest
      throughput. With --rate calls are made whatever the answers (open loop), and the latency of each counts from when
      it was due, so that a server that stalls cannot hide what it made others wait.
      """,
    operands: [.init(name: "METHOD", help: "Such as Orders.GetOrder.")],
    options: [
      .init(name: "request", value: "JSON", defaultValue: "{}", help: "The request of every call."),
      .init(name: "concurrency", value: "N", help: "Calls in flight at most (default 64; with --rate 4096)."),
      .init(name: "rate", value: "R", help: "Calls a second, whatever the answers."),
      .init(name: "duration", value: "TIME", defaultValue: "10s", help: "How long."),
      .init(name: "connections", value: "N", defaultValue: "1", help: "Connections to each server of the method."),
      .json, .backends, .timeout,
    ] + CommandSyntax.Option.rpcSecurity)

  private let method: String
  private let request: String
  private let plan: LoadPlan
  private let isJSON: Bool
  private let backends: BackendTargets

  init(_ arguments: Arguments) throws(UsageError) {
    method = arguments.operand(0) ?? ""
    request = arguments.text("request") ?? "{}"
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    let concurrency = try arguments.integer("concurrency", in: 1...65_536)
    let rate = try arguments.integer("rate", in: 1...10_000_000)
    plan = LoadPlan(
      pace: rate.map { .open(callsPerSecond: $0, inFlightMax: concurrency ?? 4_096) }
        ?? .closed(callers: concurrency ?? 64),
      duration: try arguments.duration("duration") ?? .seconds(10),
      connections: try arguments.integer("connections", in: 1...1_024) ?? 1,
      timeout: try arguments.duration("timeout") ?? .seconds(10))
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: plan.timeout) }
    let method = try catalog.method(named: method)
    let servers = catalog.servers.filter { $0.services.contains(method.service.fullName) }.map(\.address)
    let payload = try MethodCaller.encode(
      Array(request.utf8), method.descriptor, JSONTranslator(method.server.schemas))
    let addresses = (servers.isEmpty ? [method.server.address] : servers).flatMap {
      Array(repeating: $0, count: plan.connections)
    }
    let result = try await Backends.with(backends.at(addresses), on: loop) { backends in
      for answer in await backends.ask({ _, _ in }) { try answer.get() }
      return await LoadGenerator(
        loop: loop, plan: plan, clients: backends.clients.map(\.client), method: method.descriptor.id,
        payload: payload
      ).run()
    }
    let report = BenchReport(
      method: "\(method.service.name).\(method.descriptor.name)", servers: servers.map(\.description), plan: plan,
      result: result)
    terminal.print(isJSON ? "\(report.json)" : report.text)
    return result.latencies.count > 0 ? .ok : result.failures.keys.first.map { ExitStatus($0) } ?? .notWell
  }
}
