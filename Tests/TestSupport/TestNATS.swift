internal import Foundation
internal import Glibc

/// A private NATS server with JetStream, on a port and a store of its own, that a test may kill and start again.
// One test at a time uses it.
package final class TestNATS: @unchecked Sendable {
  /// What keeps a test from having its server.
  package struct Missing: Error, CustomStringConvertible {
    package let description: String
  }

  /// The server that the whole test run shares, as `nats://127.0.0.1:PORT`.
  package static func sharedURL() throws -> String {
    guard let url = ProcessInfo.processInfo.environment["GOZON_TEST_NATS"], !url.isEmpty else {
      throw Missing(description: "no NATS to test with: run tools/test, or set GOZON_TEST_NATS")
    }
    return url
  }

  /// Where the server is reached while it runs.
  package let url: String
  private let program: String
  private let store: String
  private let port: UInt16
  private var process: pid_t?

  /// Runs `body` with a server that has an empty store; the server is gone when it returns.
  package static func withServer<Result>(_ body: (TestNATS) async throws -> Result) async throws -> Result {
    let server = try TestNATS()
    defer {
      server.kill()
      server.wipe()
    }
    return try await body(server)
  }

  private init() throws {
    program = try Self.findProgram()
    port = try Self.freePort()
    url = "nats://127.0.0.1:\(port)"
    store = NSTemporaryDirectory() + "/gozon-nats-\(UUID().uuidString)"
    try start()
  }

  /// Starts the server again, on the same port and store.
  package func start() throws {
    process = try ChildProcess.start(program, ["-a", "127.0.0.1", "-p", "\(port)", "-js", "-sd", store])
  }

  /// Ends the server as a crash would.
  package func kill() {
    guard let process else { return }
    self.process = nil
    _ = Glibc.kill(process, SIGKILL)
    ChildProcess.wait(process)
  }

  /// Empties the store of a server that does not run.
  package func wipe() {
    try? FileManager.default.removeItem(atPath: store)
  }

  /// Suspends the server's process, or lets it go on.
  package func setFrozen(_ isFrozen: Bool) {
    guard let process else { return }
    _ = Glibc.kill(process, isFrozen ? SIGSTOP : SIGCONT)
  }

  private static func findProgram() throws -> String {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["GOZON_NATS_SERVER"], !path.isEmpty { return path }
    for folder in (environment["PATH"] ?? "").split(separator: ":") {
      let path = "\(folder)/nats-server"
      if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw Missing(description: "no nats-server found: run tools/test, or set GOZON_NATS_SERVER")
  }

  /// A port below those that the system gives to outgoing connections, so that it is still free after a restart.
  private static func freePort() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: 20_000..<32_000)
      if isFree(port) { return port }
    }
    throw Missing(description: "no free port")
  }

  private static func isFree(_ port: UInt16) -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
