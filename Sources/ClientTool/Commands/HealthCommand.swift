internal import EventLoop
internal import RPC
internal import Service

/// `gozon health`: whether every server is ready, and each of its dependencies.
struct HealthCommand: Command {
  static let syntax = CommandSyntax(
    name: "health", summary: "Tells whether every server and each of its dependencies is ready.",
    details: """
      Exits 1 when anything is not. With --watch a line is printed for each server, and another whenever its health changes
      or it comes and goes, until Ctrl-C or the end of --duration; the exit status tells how it was then.
      """,
    options: [
      .init(name: "watch", help: "Go on, and print a line for each change."),
      .init(name: "duration", value: "TIME", help: "With --watch, end after so long."), .json, .backends, .timeout,
    ] + CommandSyntax.Option.rpcSecurity)

  private let isWatch: Bool
  private let duration: Duration?
  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    isWatch = arguments.flag("watch")
    duration = try arguments.duration("duration")
    if duration != nil, !isWatch { throw UsageError("--duration goes with --watch") }
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    if isWatch {
      return try await Backends.with(backends, on: loop) { backends in
        try await HealthWatch(backends, timeout: timeout, on: loop, isJSON: isJSON, terminal).run(duration)
      }
    }
    let options = CallOptions(timeout: timeout)
    let answers = await Backends.with(backends, on: loop) { backends in
      await backends.ask { _, client in
        let server = ServerClient(client)
        return (
          name: try await server.reflect(ReflectRequest(), options: options).server,
          health: try await server.checkHealth(CheckHealthRequest(), options: options)
        )
      }
    }
    let reports = zip(backends.addresses, answers).map { address, answer in
      switch answer {
      case .success(let server): HealthReport(address, server.name, server.health)
      case .failure(let error): HealthReport(address, unreachable: error.message)
      }
    }
    if isJSON {
      for report in reports { terminal.print("\(report.json)") }
    } else {
      terminal.print(HealthReport.table(of: reports).text)
    }
    return reports.allSatisfy(\.isWell) ? .ok : .notWell
  }
}
