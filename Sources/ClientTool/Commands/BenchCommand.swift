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

      In the request {{uuid}} is a new UUID each time, {{sequence}} counts from 1, and {{random 1 100}} is a whole number
      from 1 to 100. A call of a method with a stream of requests sends --messages of them; latencies are those of whole
      calls, from the first request to the end of the responses.

      Ctrl-C ends the load early: what was measured is told, and the exit status is 65.
      """,
    operands: [.init(name: "METHOD", completion: .method, help: "Such as Orders.GetOrder.")],
    options: [
      .init(name: "request", value: "JSON", defaultValue: "{}", help: "The request of every call, with placeholders."),
      .init(
        name: "concurrency", value: "N", help: "Calls in flight at most (default 64, 8 with streams; with --rate 4096)."
      ),
      .init(name: "rate", value: "R", help: "Calls a second, whatever the answers."),
      .init(name: "duration", value: "TIME", help: "How long (default 10s)."),
      .init(name: "requests", value: "N", help: "End after so many calls instead."),
      .init(name: "warm-up", value: "TIME", help: "Load for so long before anything is measured."),
      .init(name: "messages", value: "N", defaultValue: "100", help: "Requests of each call, when they are a stream."),
      .init(name: "connections", value: "N", defaultValue: "1", help: "Connections to each server of the method."),
      .init(name: "timeout", value: "TIME", help: "How long each call may take (default 10s; 1h with a stream)."),
      .init(name: "html", value: "FILE", completion: .file, help: "Also write a report with charts, as a page."),
      .json, .backends,
    ] + CommandSyntax.Option.rpcSecurity)

  private let method: String
  private let template: String
  private let concurrency: Int?
  private let rate: Int?
  private let end: LoadPlan.End
  private let warmUp: Duration
  private let messages: Int
  private let connections: Int
  private let timeout: Duration?
  private let page: String?
  private let isJSON: Bool
  private let backends: BackendTargets
  private let words: [String]

  init(_ arguments: Arguments) throws(UsageError) {
    method = arguments.operand(0) ?? ""
    template = arguments.text("request") ?? "{}"
    concurrency = try arguments.integer("concurrency", in: 1...65_536)
    rate = try arguments.integer("rate", in: 1...10_000_000)
    let duration = try arguments.duration("duration")
    let count = try arguments.integer("requests", in: 1...1_000_000_000)
    if duration != nil, count != nil { throw UsageError("--duration and --requests exclude each other") }
    end = count.map { .calls($0) } ?? .duration(duration ?? .seconds(10))
    warmUp = try arguments.duration("warm-up") ?? .zero
    messages = try arguments.integer("messages", in: 1...1_000_000_000) ?? 100
    connections = try arguments.integer("connections", in: 1...1_024) ?? 1
    timeout = try arguments.duration("timeout")
    page = arguments.text("html")
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    words = Self.syntax.words + arguments.words
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout ?? .seconds(10)) }
    let method = try catalog.method(named: method)
    let requests = try LoadRequests(RequestTemplate(template), MethodJSON(method))
    if let page { try WholeFile.checkWritable(page) }
    let plan = plan(of: method.descriptor)
    let addresses = method.addresses.flatMap { Array(repeating: $0, count: connections) }
    let result = try await Backends.with(backends.at(addresses), on: loop) { backends in
      for answer in await backends.ask({ _, _ in }) { try answer.get() }
      return await LoadGenerator(
        loop: loop, plan: plan, clients: backends.clients.map(\.client), method: method.descriptor, requests: requests
      ).run()
    }
    let report = BenchReport(
      method: "\(method.service.name).\(method.descriptor.name)", shape: method.descriptor.shape,
      servers: method.addresses.map(\.description), plan: plan, result: result)
    terminal.print(isJSON ? "\(report.json)" : report.text)
    if let page {
      try WholeFile.write(BenchPage(report: report, environment: BenchEnvironment(words: words)).html, to: page)
    }
    if result.isInterrupted { return .interrupted }
    let hasAnswers = result.latencies.count > 0 || result.cutOff > 0
    return hasAnswers ? .ok : result.failures.keys.first.map { ExitStatus($0) } ?? .notWell
  }

  private func plan(of method: MethodDescriptor) -> LoadPlan {
    let pace: LoadPlan.Pace =
      if let rate {
        .open(callsPerSecond: rate, inFlightMax: concurrency ?? 4_096)
      } else {
        .closed(callers: concurrency ?? (method.isUnary ? 64 : 8))
      }
    return LoadPlan(
      pace: pace, end: end, warmUp: warmUp, connections: connections,
      timeout: timeout ?? (method.isUnary ? .seconds(10) : CallOptions.timeoutMax), messagesPerCall: messages)
  }
}
