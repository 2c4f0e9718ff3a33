internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// What `gozon call` needs for the calls that it makes of one method.
struct CallSession: Sendable {
  let method: Catalog.Method
  let json: MethodJSON
  let channel: any CallChannel
  let options: CallOptions
  /// Calls that are under way at once, of a method without streams.
  let inFlightMax: Int
  /// Whether errors are printed in the place of responses, also those of a single call.
  let printsErrors: Bool
  let loop: EventLoop
  let terminal: Terminal
  let output: LineOutput
  /// Where metadata and timing go; nil when nobody wants them.
  let remarks: CallRemarks?

  /// Makes the calls that `source` has requests for.
  func run(_ source: RequestSource) async throws -> ExitStatus {
    if method.descriptor.requestIsStream {
      let requests = try RequestLines(source, loop: loop, terminal)
      return try await reporting { try await stream(nil, requests) }
    }
    switch source {
    case .text(let request): return try await callOnce(request)
    case .file(let path): return try await callOnce(RequestSource.contents(of: path))
    case .lines: return try await callForEachLine() ?? .ok
    case .unsaid:
      if terminal.isInputPiped, let status = try await callForEachLine() { return status }
      return try await callOnce(Array("{}".utf8))
    }
  }

  private func callOnce(_ request: [UInt8]) async throws -> ExitStatus {
    try await reporting {
      let message = try json.request(request)
      if method.descriptor.responseIsStream {
        try await stream(RawMessage(message), nil)
      } else {
        output.append(try await call(message, place: nil))
      }
    }
  }

  /// Runs `body`, and prints its error where errors are printed.
  private func reporting(_ body: () async throws -> Void) async throws -> ExitStatus {
    do {
      try await body()
      await output.untilEmpty()
      return .ok
    } catch {
      await output.untilEmpty()
      guard printsErrors, !(error is CancellationError) else { throw error }
      let error = RPCError(thrown: error)
      terminal.print("\(error.json)")
      return ExitStatus(error.code)
    }
  }
}
