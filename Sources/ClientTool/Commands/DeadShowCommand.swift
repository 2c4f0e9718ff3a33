internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// `gozon dead show`: one message that could not be processed.
struct DeadShowCommand: Command {
  static let syntax = CommandSyntax(
    name: "dead show", summary: "Shows a message that could not be processed: its headers, and what is in it.",
    details: "The schemas come from the services; what they cannot read is shown in hexadecimal digits.",
    operands: [.init(name: "SEQUENCE", help: "As gozon dead ls tells it.")],
    options: [.json, .natsURL, .backends, .timeout] + CommandSyntax.Option.rpcSecurity)

  private let sequence: UInt64
  private let isJSON: Bool
  private let url: String
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    sequence = try arguments.sequences()[0]
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let letter = try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      try await DeadLetterReader(client).letter(sequence)
    }
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    for failure in catalog.failures { terminal.note(failure.message) }
    var view = MessageView(catalog)
    let shown = view.show(letter.message)
    terminal.print(isJSON ? shown.json : Self.text(of: letter, shown))
    return .ok
  }

  private static func text(of letter: StoredLetter, _ shown: MessageView.Shown) -> String {
    var headers = TextTable("HEADER", "VALUE")
    for (name, value) in letter.message.headers.entries { headers.append(name, value) }
    let place = "\(letter.subject), dead since \(letter.message.time)"
    switch shown.content {
    case .success(let json): return "\(place)\n\n\(headers.text)\n\n\(json)"
    case .failure: return "\(place)\n\n\(headers.text)\n\n\(shown.text)\n\(shown.hexadecimalLines)"
    }
  }
}

extension Arguments {
  /// The operands as places in a stream.
  func sequences() throws(UsageError) -> [UInt64] {
    try operands.map { text throws(UsageError) in
      guard let sequence = UInt64(text), (1...(1 << 53)).contains(sequence) else {
        throw UsageError("SEQUENCE must be a whole number from 1, not '\(text)'")
      }
      return sequence
    }
  }
}
