internal import EventLoop
internal import RPC
internal import Schema
internal import Service

/// `gozon call`: calls a method.
struct CallCommand: Command {
  static let syntax = CommandSyntax(
    name: "call", summary: "Calls a method with JSON and prints its responses as JSON, one a line, as they come.",
    details: """
      A method without a stream of requests is called once with REQUEST, or once for each line of standard input, over
      one connection: the answers come out in the order of the lines, errors as {"error":{…}}, and the exit status is
      that of the first error. The error of a single call goes to standard error.

      A method with a stream of requests is called once; each line of REQUEST, of @FILE or of standard input is a request,
      read no faster than the server takes them. What is typed ends with Ctrl-D.

      Ctrl-C gives the call up: what came is printed, and the exit status is 65 (CANCELLED).
      """,
    operands: [
      .init(name: "METHOD", completion: .method, help: "Such as Orders.CreateOrder."),
      .init(
        name: "REQUEST", isOptional: true, completion: .fileBehindAt,
        help: "JSON, @FILE, or - for NDJSON on standard input; if left out, what is piped in, or {}."),
    ],
    options: [
      .init(name: "metadata", value: "NAME=VALUE", isRepeatable: true, help: "Send a value beside the request."),
      .init(
        name: "idempotency-key", value: "KEY", help: "Make a repeat with the same key harmless, where the method can."),
      .init(
        name: "timeout", value: "TIME", help: "How long each call may take, at most 1h (default 10s; 1h with a stream)."
      ),
      .init(name: "wait-for-ready", help: "Wait for the server within the time-out, instead of failing at once."),
      .init(
        name: "concurrency", value: "N", defaultValue: "64",
        help: "Calls under way at once, for the lines of standard input."),
      .init(name: "verbose", letter: "v", help: "Tell metadata and timing on standard error."),
      .init(name: "json", help: "Print the error of a single call as JSON too."), .backends,
    ] + CommandSyntax.Option.rpcSecurity)

  private let method: String
  private let source: RequestSource
  private let metadata: Metadata
  private let timeout: Duration?
  private let waitsForReady: Bool
  private let concurrency: Int
  private let isVerbose: Bool
  private let isJSON: Bool
  private let backends: BackendTargets

  init(_ arguments: Arguments) throws(UsageError) {
    method = arguments.operand(0) ?? ""
    source = RequestSource(argument: arguments.operand(1))
    metadata = try Self.metadata(arguments)
    timeout = try arguments.duration("timeout")
    if let timeout, timeout > CallOptions.timeoutMax { throw UsageError("--timeout is at most 1h") }
    waitsForReady = arguments.flag("wait-for-ready")
    concurrency = try arguments.integer("concurrency", in: 1...65_536) ?? 64
    isVerbose = arguments.flag("verbose")
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await Backends.with(backends, on: loop) { backends in
      let method = try await backends.method(
        named: method, timeout: timeout ?? .seconds(10), waitsForReady: waitsForReady)
      let timeout = timeout ?? (method.descriptor.isUnary ? .seconds(10) : CallOptions.timeoutMax)
      let options = CallOptions(
        timeout: timeout, metadata: metadata, waitsForReady: waitsForReady,
        isRepeatable: method.isRepeatable(metadata))
      let session = CallSession(
        method: method, json: MethodJSON(method), channel: backends.pool(of: method), options: options,
        inFlightMax: concurrency,
        printsErrors: isJSON, loop: loop, terminal: terminal, output: LineOutput(loop: loop, terminal: terminal),
        remarks: isVerbose ? CallRemarks(method, options, terminal) : nil)
      return try await session.run(source)
    }
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
