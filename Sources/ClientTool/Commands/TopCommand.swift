internal import EventLoop
internal import RPC
internal import Service
internal import Wire

/// `gozon top`: how the servers are doing, again and again.
struct TopCommand: Command {
  static let syntax = CommandSyntax(
    name: "top", summary: "Shows what the servers do: methods, gauges, connections, windows and calls under way.",
    details: """
      Rates and quantiles are those since the line before, from what each server counts: p50 and p99 are taken from classes
      that double in width. SEND and RECEIVE are the bytes of messages that may still go that way; BLOCKED calls have a
      message that waits for them to grow. The gauges are those of /metrics: pools, queues, what is late. On a terminal it takes the screen until Ctrl-C; otherwise it prints text again
      and again, or one JSON document a line.
      """,
    options: [
      .init(name: "once", help: "Look twice, print once, and end."),
      .init(name: "interval", value: "TIME", defaultValue: "1s", help: "The time between two looks."),
      .init(
        name: "sort", value: "COLUMN", defaultValue: "calls",
        completion: .words(TopSnapshot.Order.allCases.map(\.rawValue)),
        help: "Sort the methods by calls, errors, p99, active or name."),
      .json, .backends, .timeout,
    ] + CommandSyntax.Option.rpcSecurity)

  /// Connections and calls that are shown when there is no screen to fill.
  private static let rowsMax = 20

  private let isOnce: Bool
  private let interval: Duration
  private let order: TopSnapshot.Order
  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    isOnce = arguments.flag("once")
    interval = try arguments.duration("interval") ?? .seconds(1)
    let sort = arguments.text("sort") ?? ""
    guard let order = TopSnapshot.Order(rawValue: sort) else {
      let choices = TopSnapshot.Order.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError("--sort must be one of \(choices), not '\(sort)'")
    }
    self.order = order
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await Backends.with(backends, on: loop) { backends in
      if isOnce {
        let first = await sample(backends, loop)
        try await loop.sleep(for: interval)
        let snapshot = TopSnapshot(await sample(backends, loop), since: first, by: order)
        print(snapshot, terminal)
        return snapshot.servers.contains { (try? $0.answer.get()) != nil } ? .ok : ExitStatus(.unavailable)
      }
      guard !isJSON, terminal.screenSize != nil else {
        await watch(backends, loop) { print($0, terminal) }
        return .ok
      }
      await Screen.with(terminal) { screen in
        await watch(backends, loop) { snapshot in
          let rows = max(3, ((terminal.screenSize?.rows ?? 24) - 8 - snapshot.methods.count) / 2)
          screen.draw(
            ["gozon top, every \(interval), sorted by \(order.rawValue); Ctrl-C ends it", ""]
              + snapshot.lines(rowsMax: rows))
        }
      }
      return .ok
    }
  }

  /// Looks again and again until the task is cancelled.
  private func watch(_ backends: Backends, _ loop: EventLoop, _ show: (TopSnapshot) -> Void) async {
    var last: [TopSample] = []
    while !Task.isCancelled {
      let present = await sample(backends, loop)
      if Task.isCancelled { return }
      show(TopSnapshot(present, since: last, by: order))
      last = present
      try? await loop.sleep(for: interval)
    }
  }

  private func sample(_ backends: Backends, _ loop: EventLoop) async -> [TopSample] {
    let answers = await backends.ask { _, client in
      (try await ServerClient(client).inspect(InspectRequest(), options: CallOptions(timeout: timeout)), loop.now)
    }
    return zip(backends.clients, answers).map { client, answer in
      switch answer {
      case .success((let inspection, let time)):
        TopSample(address: client.address, time: time, answer: .success(inspection))
      case .failure(let error): TopSample(address: client.address, time: loop.now, answer: .failure(error))
      }
    }
  }

  private func print(_ snapshot: TopSnapshot, _ terminal: Terminal) {
    if isJSON {
      terminal.print("\(snapshot.json)")
    } else {
      terminal.print(snapshot.lines(rowsMax: Self.rowsMax).joined(separator: "\n") + (isOnce ? "" : "\n"))
    }
  }
}
