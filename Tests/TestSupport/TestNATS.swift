internal import Foundation
internal import Glibc

/// A private NATS server with JetStream, on a port and a store of its own, that a test may kill and start again.
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
  private let program: URL
  private let store: URL
  private let port: UInt16
  // Touched by one test at a time.
  private var process: Process?

  /// Starts a server with an empty store.
  package init() throws {
    program = try Self.findProgram()
    port = try Self.freePort()
    url = "nats://127.0.0.1:\(port)"
    store = FileManager.default.temporaryDirectory.appendingPathComponent("gozon-nats-\(UUID().uuidString)")
    try start()
  }

  deinit {
    kill()
    wipe()
  }

  /// Starts the server again, on the same port and store.
  package func start() throws {
    let process = Process()
    process.executableURL = program
    process.arguments = ["-a", "127.0.0.1", "-p", "\(port)", "-js", "-sd", store.path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    self.process = process
  }

  /// Ends the server as a crash would.
  package func kill() {
    guard let process else { return }
    self.process = nil
    _ = Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Empties the store of a server that does not run.
  package func wipe() {
    try? FileManager.default.removeItem(at: store)
  }

  /// Suspends the server's process, or lets it go on.
  package func setFrozen(_ isFrozen: Bool) {
    guard let process else { return }
    _ = Glibc.kill(process.processIdentifier, isFrozen ? SIGSTOP : SIGCONT)
  }

  private static func findProgram() throws -> URL {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["GOZON_NATS_SERVER"], !path.isEmpty { return URL(fileURLWithPath: path) }
    for folder in (environment["PATH"] ?? "").split(separator: ":") {
      let path = "\(folder)/nats-server"
      if FileManager.default.isExecutableFile(atPath: path) { return URL(fileURLWithPath: path) }
    }
    throw Missing(description: "no nats-server found: run tools/test, or set GOZON_NATS_SERVER")
  }

  private static func freePort() throws -> UInt16 {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(socket, pointer, length) == 0 ? getsockname(socket, pointer, &length) : -1
      }
    }
    guard code == 0 else { throw Missing(description: "no free port") }
    return UInt16(bigEndian: address.sin_port)
  }
}
