internal import EventLoop
internal import JetStream
internal import JSON
internal import RPC
internal import Service
internal import Wire

/// Follows the health of every server, and prints a line whenever it changes.
// Confined to its event loop.
final class HealthWatch: @unchecked Sendable {
  /// The wait before a server is asked again that ended the watching and is still there.
  private static let pause: Duration = .milliseconds(250)

  private let backends: Backends
  private let timeout: Duration
  private let loop: EventLoop
  private let isJSON: Bool
  private let terminal: Terminal
  /// What was printed last of each server.
  private var reports: [Address: HealthReport] = [:]

  /// - Parameter timeout: for a server to say its name.
  init(_ backends: Backends, timeout: Duration, on loop: EventLoop, isJSON: Bool, _ terminal: Terminal) {
    self.backends = backends
    self.timeout = timeout
    self.loop = loop
    self.isJSON = isJSON
    self.terminal = terminal
  }

  /// Watches for so long, or until the task is cancelled.
  ///
  /// - Returns: OK when all was well at the end.
  func run(_ duration: Duration?) async throws -> ExitStatus {
    await withDiscardingTaskGroup { group in
      for (address, client) in backends.clients { group.addTask { await self.watch(address, client) } }
      repeat { try? await loop.sleep(for: duration ?? .seconds(3_600)) } while duration == nil && !Task.isCancelled
      group.cancelAll()
    }
    let isWell = backends.clients.allSatisfy { reports[$0.address]?.isWell ?? false }
    return isWell ? .ok : .notWell
  }

  /// Follows one server, also when it comes and goes.
  private func watch(_ address: Address, _ client: RPCClient) async {
    while !Task.isCancelled {
      do {
        try await Backends.connect(address, client)
        try await follow(address, ServerClient(client))
      } catch {
        if Task.isCancelled { return }
        report(HealthReport(address, unreachable: RPCError(thrown: error).message))
      }
      // A client that is not connected tries again by itself, and waits in between.
      if client.state == .ready { try? await loop.sleep(for: Self.pause) }
    }
  }

  private func follow(_ address: Address, _ server: ServerClient) async throws {
    let name = try await server.reflect(ReflectRequest(), options: CallOptions(timeout: timeout)).server
    do {
      for try await health in server.watchHealth(WatchHealthRequest()) { report(HealthReport(address, name, health)) }
    } catch let error as RPCError where error.code == .deadlineExceeded {
      // No call lasts longer than an hour; the next one goes on.
    }
  }

  private func report(_ report: HealthReport) {
    guard reports[report.address] != report else { return }
    reports[report.address] = report
    let time = "\(Timestamp.now)"
    guard isJSON else { return terminal.print("\(time)  \(report.line)") }
    let members: [JSONValue.Member] = [.init("time", .string(time))] + (report.json.members ?? [])
    terminal.print("\(JSONValue.object(members))")
  }
}
