import EventLoop
import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct AdminServerTests {
  /// Asks an admin server over a socket; its whole answer.
  private static func answer(
    to path: String, readiness: [Readiness] = [], metrics: [Metric] = []
  ) async throws -> String {
    try await onLoop { loop in
      let server = try AdminServer(
        loop: loop, host: "127.0.0.1", port: 0, readiness: { readiness }, metrics: { metrics })
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.part.run() }
        let listener = Listener()
        let tcp = try await TCPConnection.connect(
          loop: loop, host: "127.0.0.1", port: server.port, timeout: .seconds(5))
        tcp.delegate = listener
        tcp.start()
        var request = Array("GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".utf8)
        tcp.write(&request)
        for _ in 0..<2_000 where !listener.isClosed { try await loop.sleep(for: .milliseconds(1)) }
        server.part.beginGracefulShutdown()
        try await group.waitForAll()
        return String(decoding: listener.bytes, as: UTF8.self)
      }
    }
  }

  // Confined to the loop of its test.
  private final class Listener: TCPConnectionDelegate, @unchecked Sendable {
    var bytes: [UInt8] = []
    var isClosed = false
    func received(_ bytes: borrowing RawSpan) { bytes.withUnsafeBytes { self.bytes += $0 } }
    func writable() {}
    func closed(_ error: IOError?) { isClosed = true }
  }

  @Test func `a process that answers is alive`() async throws {
    let answer = try await Self.answer(to: "/healthz", readiness: [Readiness("nats", problem: "gone")])
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("{\"status\":\"ok\"}\n"))
  }

  @Test func `a process is ready when all that it needs is`() async throws {
    let ready = try await Self.answer(to: "/readyz", readiness: [Readiness("postgres", problem: nil)])
    #expect(ready.hasPrefix("HTTP/1.1 200 "))
    #expect(
      ready.hasSuffix(
        "{\"ready\":true,\"degraded\":false,\"dependencies\":["
          + "{\"name\":\"postgres\",\"ready\":true,\"required\":true}]}\n"))
    let unready = try await Self.answer(
      to: "/readyz", readiness: [Readiness("postgres", problem: nil), Readiness("nats", problem: "it said \"no\"\n")])
    #expect(unready.hasPrefix("HTTP/1.1 503 "))
    let body = try #require(unready.components(separatedBy: "\r\n\r\n").last)
    let object = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
    let dependencies = try #require(object["dependencies"] as? [[String: Any]])
    #expect(object["ready"] as? Bool == false && dependencies[1]["reason"] as? String == "it said \"no\"\n")
  }

  @Test func `a process is degraded, and ready, without what it can do without`() async throws {
    let answer = try await Self.answer(
      to: "/readyz",
      readiness: [Readiness("postgres", problem: nil), Readiness("nats", problem: "x", isRequired: false)])
    #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("{\"ready\":true,\"degraded\":true,"))
    #expect(answer.contains("{\"name\":\"nats\",\"ready\":false,\"required\":false,\"reason\":\"x\"}"))
    let metrics = try await Self.answer(
      to: "/metrics", readiness: [Readiness("nats", problem: "x", isRequired: false), Readiness("db", problem: "y")])
    #expect(metrics.contains("gozon_ready 0\n"))
    #expect(metrics.contains("gozon_dependency_up{dependency=\"nats\",required=\"false\"} 0\n"))
  }

  @Test func `metrics are in the text format of Prometheus`() async throws {
    let metrics = [
      Metric("orders_waiting", .gauge, "Orders that wait.", 3), Metric("calls_total", .counter, "Calls.", 1e15),
    ]
    let answer = try await Self.answer(to: "/metrics", metrics: metrics)
    #expect(answer.contains("text/plain; version=0.0.4; charset=utf-8"))
    #expect(answer.contains("\nprocess_cpu_seconds_total ") && answer.contains("\nprocess_open_fds "))
    #expect(
      answer.contains(
        """
        # HELP gozon_orders_waiting Orders that wait.
        # TYPE gozon_orders_waiting gauge
        gozon_orders_waiting 3
        # HELP gozon_calls_total Calls.
        # TYPE gozon_calls_total counter
        gozon_calls_total 1000000000000000

        """))
  }

  @Test func `other paths are not found, and said which there are`() async throws {
    let answer = try await Self.answer(to: "/")
    #expect(answer.hasPrefix("HTTP/1.1 404 ") && answer.contains("/healthz, /readyz and /metrics"))
  }
}
