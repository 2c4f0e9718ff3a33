package import EventLoop
package import JetStream
internal import Messaging
package import Service

/// A service's connection to JetStream.
// Confined to its event loop; every entry checks it.
package final class Broker: @unchecked Sendable {
  /// Publishes and reads.
  package let client: JetStreamClient
  private let stopping: LoopSignal

  /// The broker at `url`, with the streams of the system, each kept by so many `replicas`.
  package init(loop: EventLoop, url: String, replicas: Int, name: String) {
    let streams = EventStreams.all.map { stream in
      var stream = stream
      stream.replicas = replicas
      return stream
    }
    client = JetStreamClient(loop: loop, options: .init(url: url, name: name), streams: streams)
    stopping = LoopSignal(loop: loop)
  }

  /// Whether the broker can be used. Without it orders are taken and accounts kept; payment waits.
  package var readiness: Readiness {
    let health = client.health
    return Readiness(
      "nats", problem: health.isReady ? nil : health.problem ?? "its streams are not checked yet", isRequired: false)
  }

  /// The broker as a part of the process.
  package var part: Part {
    Part("nats", run: { await self.run() }, beginGracefulShutdown: { self.stopping.signal() })
  }

  private func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.client.run() }
      await stopping.wait()
      await client.close()
    }
  }
}
