internal import RPC
internal import Schema

/// What `gozon call --verbose` tells beside the responses: metadata and timing, on standard error.
struct CallRemarks: Sendable {
  private let terminal: Terminal

  /// Remarks about calls of `method`, beginning with what all of them send.
  init(_ method: Catalog.Method, _ options: CallOptions, _ terminal: Terminal) {
    self.terminal = terminal
    let server = "\(method.server.name) at \(method.server.address)"
    terminal.remark("> \(method.descriptor.fullName), \(method.descriptor.shape), to \(server)")
    for (name, value) in options.metadata.pairs { terminal.remark("> \(name): \(value)") }
  }

  /// A call ended with `error`, or well.
  func ended(
    _ error: RPCError?, place: Int?, after time: Duration, _ metadata: Metadata, _ tally: StreamTally? = nil
  ) {
    var line = "< " + (place.map { "request \($0 + 1): " } ?? "")
    line += "\((error?.code ?? .ok).name) after \(time.inMilliseconds)"
    if let tally {
      if tally.requests > 0 { line += ", sent \(tally.requests)" }
      line += ", received \(tally.responses)"
      if let first = tally.untilFirst { line += ", the first after \(first.inMilliseconds)" }
    }
    terminal.remark(line)
    for (name, value) in metadata.pairs { terminal.remark("< \(name): \(value)") }
  }
}
