package import EventLoop

/// Figures that cost a question to somebody: they are asked for from time to time, never when they are read.
// Confined to its event loop; every entry checks it.
package final class RefreshedFigures: @unchecked Sendable {
  /// Who is asked.
  package struct Source: Sendable {
    let name: String
    let ask: @Sendable () async throws -> [Metric]

    /// Figures that `ask` gets from `name`, such as `postgres`; it should not take long.
    package init(_ name: String, ask: @escaping @Sendable () async throws -> [Metric]) {
      self.name = name
      self.ask = ask
    }
  }

  /// What a source told last.
  private struct Answer {
    var metrics: [Metric] = []
    var failures = 0
    var isFailing = false
  }

  private let loop: EventLoop
  private let log: Log
  private let interval: Duration
  private let sources: [Source]
  private var answers: [Answer]
  private let stopping: LoopSignal
  private var isStopping = false

  /// Figures of `sources`, asked for every `interval`; of one that fails there are none until it answers.
  package init(loop: EventLoop, log: Log, interval: Duration = .seconds(5), sources: [Source]) {
    self.loop = loop
    self.log = log
    self.interval = interval
    self.sources = sources
    answers = sources.map { _ in Answer() }
    stopping = LoopSignal(loop: loop)
  }

  /// The figures as they were last told.
  package var metrics: [Metric] {
    loop.preconditionCurrent()
    let failures = zip(sources, answers).map { source, answer -> (Metric.Labels, Double) in
      (["source": source.name], Double(answer.failures))
    }
    return answers.flatMap(\.metrics) + [
      Metric(
        "figures_failures_total", .counter, "Times that figures that cost a question were not told.",
        values: failures)
    ]
  }

  /// The refreshing as a part of the process.
  package var part: Part {
    Part("figures", run: { await self.run() }) {
      self.isStopping = true
      self.stopping.signal()
    }
  }

  private func run() async {
    while !isStopping, !Task.isCancelled {
      for index in sources.indices where !isStopping { await ask(index) }
      if !isStopping { await stopping.wait(atMost: interval) }
    }
  }

  private func ask(_ index: Int) async {
    do {
      answers[index].metrics = try await sources[index].ask()
      answers[index].isFailing = false
    } catch {
      // What was true a while ago must not be taken for what is.
      answers[index].metrics = []
      answers[index].failures += 1
      if !answers[index].isFailing {
        log.warning("figures are not told", [.part: sources[index].name, .error: String(reflecting: error)])
      }
      answers[index].isFailing = true
    }
  }
}
