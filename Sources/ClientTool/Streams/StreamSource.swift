internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// What commands that show messages are told: which of which stream, where the broker is, and whose schemas they have.
struct StreamSource: Sendable {
  /// The options that say it.
  static let options =
    MessageSelection.options + [.json, .natsURL, .backends, .timeout] + CommandSyntax.Option.rpcSecurity

  /// The stream.
  let name: String
  /// Which of its messages.
  let selection: MessageSelection
  /// Whether they are shown as JSON.
  let isJSON: Bool
  private let url: String
  private let backends: BackendTargets
  private let timeout: Duration

  /// The source that the first operand and the options describe.
  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    selection = try MessageSelection(name, arguments)
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  /// A view of messages by the schemas of the services; who does not tell them is noted.
  func view(on loop: EventLoop, _ terminal: Terminal) async -> MessageView {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    for failure in catalog.failures { terminal.note(failure.message) }
    return MessageView(catalog)
  }

  /// Runs `body` with a client of the broker.
  func read(on loop: EventLoop, _ body: (JetStreamClient) async throws -> Void) async throws {
    try await Streams.with(url: url, timeout: timeout, on: loop, body)
  }
}
