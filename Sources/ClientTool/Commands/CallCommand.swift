internal import EventLoop
internal import RPC
internal import Service

/// `gozon call`: calls a method.
struct CallCommand: Command {
  static let syntax = CommandSyntax(
    name: "call", summary: "Calls a method with JSON and prints the response as JSON.",
    details: """
      With a single request an error goes to standard error. With NDJSON on standard input there is a line for each
      request, in order, errors as {"error":{…}}; up to 64 requests are under way at once, over one connection. The exit
      status is that of the first error.
      """,
    operands: [
      .init(name: "METHOD", help: "Such as Orders.CreateOrder."),
      .init(
        name: "REQUEST", isOptional: true,
        help: "JSON, @FILE, or - for NDJSON on standard input; if left out, what is piped in, or {}."),
    ],
    options: [
      .init(name: "metadata", value: "NAME=VALUE", isRepeatable: true, help: "Send a value beside the request."),
      .init(
        name: "idempotency-key", value: "KEY", help: "Make a repeat with the same key harmless, where the method can."),
      .init(name: "json", help: "Print the error of a single request as JSON too."), .timeout, .backends,
    ] + CommandSyntax.Option.rpcSecurity)

  /// Requests of a stream that are under way at once.
  private static let inFlightMax = 64

  private let method: String
  private let source: RequestSource
  private let options: CallOptions
  private let isJSON: Bool
  private let backends: BackendTargets

  init(_ arguments: Arguments) throws(UsageError) {
    method = arguments.operand(0) ?? ""
    source = RequestSource(argument: arguments.operand(1))
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    options = CallOptions(
      timeout: try arguments.duration("timeout") ?? .seconds(10), metadata: try Self.metadata(arguments))
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await Backends.with(backends, on: loop) { backends in
      let catalog = await backends.catalog(timeout: options.timeout)
      let method = try catalog.method(named: method)
      guard let client = backends.client(of: method.server.address) else { return .notWell }
      let caller = MethodCaller(method, client: client, options: options)
      switch source {
      case .text(let request): return try await callOnce(caller, request, terminal)
      case .file(let path): return try await callOnce(caller, RequestSource.contents(of: path), terminal)
      case .lines: return try await callForEachLine(caller, on: loop, terminal) ?? .ok
      case .unsaid:
        if StandardInput.isPiped, let status = try await callForEachLine(caller, on: loop, terminal) { return status }
        return try await callOnce(caller, Array("{}".utf8), terminal)
      }
    }
  }

  private func callOnce(_ caller: MethodCaller, _ request: [UInt8], _ terminal: Terminal) async throws -> ExitStatus {
    do {
      terminal.print(try await caller.call(request))
      return .ok
    } catch {
      guard isJSON else { throw error }
      let error = RPCError(thrown: error)
      terminal.print("\(error.json)")
      return ExitStatus(error.code)
    }
  }

  /// - Returns: nil when there was no line.
  private func callForEachLine(
    _ caller: MethodCaller, on loop: EventLoop, _ terminal: Terminal
  ) async throws -> ExitStatus? {
    let input = StandardInput(loop: loop)
    let answers = AnswerStream(loop: loop, terminal: terminal)
    try await withThrowingDiscardingTaskGroup { group in
      while let line = try await input.nextLine() {
        while answers.waiting >= Self.inFlightMax { await answers.untilPrinted() }
        let place = answers.begin()
        group.addTask {
          do {
            answers.finish(place, .success(try await caller.call(line)))
          } catch {
            answers.finish(place, .failure(RPCError(thrown: error)))
          }
        }
      }
    }
    return answers.status
  }

  private static func metadata(_ arguments: Arguments) throws(UsageError) -> Metadata {
    var metadata = Metadata()
    for pair in arguments.all("metadata") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw UsageError("--metadata must be NAME=VALUE, not '\(pair)'")
      }
      metadata[parts[0].lowercased()] = String(parts[1])
    }
    if let key = arguments.text("idempotency-key") { metadata["idempotency-key"] = key }
    return metadata
  }
}
