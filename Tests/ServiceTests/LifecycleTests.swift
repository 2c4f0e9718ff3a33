import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Service

@Suite(.serialized) struct LifecycleTests {
  private static let log = Log(service: "test", level: quiet)
  /// Nothing that a test does on purpose is to be read by whoever runs it.
  private static let quiet = Log.Level.error

  /// A part that runs until it is told to end, and notes what happens to it.
  private static func part(
    _ name: String, _ loop: EventLoop, _ events: Locked<[String]>, endsAfter delay: Duration? = .milliseconds(5)
  ) -> Part {
    let stopping = LoopSignal(loop: loop)
    return Part(name) {
      events.withLock { $0.append("\(name) runs") }
      await stopping.wait()
      if let delay { try await loop.sleep(for: delay) } else { try await loop.sleep(for: .seconds(60)) }
      events.withLock { $0.append("\(name) ended") }
    } beginGracefulShutdown: {
      events.withLock { $0.append("\(name) is to end") }
      stopping.signal()
    }
  }

  @Test func `a signal ends the parts, the last first, each when the one before has ended`() async throws {
    let events = Locked<[String]>([])
    try await onLoop { loop in
      let parts = ["database", "broker", "server"].map { Self.part($0, loop, events) }
      _ = loop.schedule(after: .milliseconds(30)) { kill(getpid(), SIGTERM) }
      try await Lifecycle(loop: loop, log: Self.log).run(parts)
    }
    #expect(
      events.withLock { $0 } == [
        "database runs", "broker runs", "server runs", "server is to end", "server ended", "broker is to end",
        "broker ended", "database is to end", "database ended",
      ])
  }

  @Test func `a part that fails ends the others, and the process says which`() async throws {
    struct Broken: Error, CustomStringConvertible { let description = "it broke" }
    for (failing, text) in [
      (Part("broken", run: { throw Broken() }, beginGracefulShutdown: {}), "broken failed: it broke"),
      (Part("short", run: {}, beginGracefulShutdown: {}), "short ended by itself"),
    ] {
      let events = Locked<[String]>([])
      let error = await #expect(throws: Lifecycle.PartFailed.self) {
        try await onLoop { loop in
          let parts = [Self.part("first", loop, events), failing, Self.part("last", loop, events)]
          try await Lifecycle(loop: loop, log: Self.log).run(parts)
        }
      }
      #expect(error?.description == text)
      #expect(events.withLock { $0.suffix(2) } == ["first is to end", "first ended"])
      #expect(events.withLock { $0.contains("last ended") })
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a part that does not end is cut off, and the others have been told`()
    async throws
  {
    let events = Locked<[String]>([])
    _ = try? await onLoop { loop in
      let parts = [
        Self.part("first", loop, events), Self.part("slow", loop, events, endsAfter: nil),
        Part("stuck", run: { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }) {
          events.withLock { $0.append("stuck is to end") }
        },
        Part("short", run: {}, beginGracefulShutdown: {}),
      ]
      try await Lifecycle(loop: loop, log: Self.log, shutdownTimeout: .milliseconds(50)).run(parts)
    }
    let happened = events.withLock { $0 }
    #expect(happened.contains("stuck is to end") && happened.contains("slow is to end"))
    #expect(!happened.contains("slow ended"), "it was cancelled")
    #expect(happened.contains("first is to end"))
  }
}
