import EventLoop
import JetStream
import JSON
import RPC
import TestSupport
import Testing

@testable import ClientTool

@Suite struct HealthWatchTests {
  @Test func `each change of health is a line, and the last one is the exit status`() async throws {
    let isWell = Locked(true)
    let health: @Sendable () -> [DependencyHealth] = {
      let isWell = isWell.withLock { $0 }
      return [
        DependencyHealth(
          name: "postgres", status: isWell ? .serving : .notServing, reason: isWell ? "" : "no connection")
      ]
    }
    try await withServer(health: health) { environment in
      let test = TestInterrupts()
      let count = Locked(0)
      let run = await gozon(
        ["health", "--watch", "--json"], environment: environment, interrupts: test.interrupts
      ) { _ in
        let lines = count.withLock { count in
          count += 1
          return count
        }
        if lines == 1 { isWell.withLock { $0 = false } } else { test.fire() }
      }
      #expect(run.status == 1 && run.errors.isEmpty)
      let reports = try run.lines.map { try JSONValue(parsing: Array($0.utf8).span) }
      #expect(reports.map { $0["status"]?.string } == ["SERVING", "NOT_SERVING"])
      #expect(reports.last?["dependencies"]?.array?.first?["reason"]?.string == "no connection")
    }
  }

  @Test func `a server that is away is told once, and followed when it comes`() async throws {
    let port = try await onLoop { loop in
      let listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { _ in }
      defer { listener.close() }
      return listener.port
    }
    let test = TestInterrupts()
    let came = Locked(0)
    let watching = Task {
      await gozon(
        ["health", "--watch"], environment: ["GOZON_BACKENDS": "127.0.0.1:\(port)"], interrupts: test.interrupts
      ) { text in
        came.withLock { $0 += 1 }
        if text.contains("  SERVING") { test.fire() }
      }
    }
    try await onLoop { loop in
      while came.withLock({ $0 }) == 0 { try await loop.sleep(for: .milliseconds(5)) }
      let server = try RPCServer(loop: loop, name: "late", host: "127.0.0.1", port: port, services: [])
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        let run = await watching.value
        #expect(run.status == 0 && run.lines.count == 2, "\(run)")
        #expect(run.lines.first?.contains("UNREACHABLE") == true && run.lines.last?.contains("late  SERVING") == true)
        group.cancelAll()
      }
    }
  }

  @Test func `it ends by itself when it is told how long`() async throws {
    try await withServer { environment in
      let run = await gozon("health", "--watch", "--duration", "300ms", environment: environment)
      #expect(run.status == 0 && run.lines.count == 1)
    }
    #expect(await gozon("health", "--duration", "1s").status == 2)
  }
}
