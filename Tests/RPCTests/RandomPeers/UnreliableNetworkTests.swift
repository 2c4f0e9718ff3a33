import API
import EventLoop
import Probe
import TestSupport
import Testing
import Wire

@testable import RPC

/// A client and a server with a network between them that splits, delays and cuts at places which a seed chooses. Every
/// call ends once, right or with UNAVAILABLE or DEADLINE_EXCEEDED, and neither side holds anything afterwards.
@Suite struct UnreliableNetworkTests {
  private static let callCount = 24

  @Test func `every call ends right or says that it was lost, and nothing is left`() async throws {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [ProbeImplementation().definition],
        limits: ProbeLimits.limits)
      for random in SeededRandom.several(40) {
        try await Self.run(random, loop, server)
      }
    }
  }

  private static func run(_ random: SeededRandom, _ loop: EventLoop, _ server: RPCServer) async throws {
    let comment: Comment = "replay it with GOZON_TEST_SEED=\(random.seed)"
    var random = random
    let cuts = Int.random(in: 0...3, using: &random)
    let proxy = try UnreliableProxy(loop: loop, target: server.port, cuts: cuts, random: random)
    var options = RPCClient.Options()
    (options.callWindow, options.connectionWindow) = (3_000, 9_000)
    options.backoffMax = .milliseconds(50)
    let client = RPCClient(loop: loop, host: "127.0.0.1", port: proxy.port, options: options)
    var served: [ObjectIdentifier: ServerConnection] = [:]
    let plans = (0..<callCount).map { _ in CallPlan(&random, isHasty: cuts > 0) }
    let outcomes = await withTaskGroup(of: CallPlan.Outcome?.self) { group in
      group.addTask {
        await client.run()
        return nil
      }
      for plan in plans { group.addTask { await plan.make(ProbeClient(client)) } }
      var outcomes: [CallPlan.Outcome] = []
      while outcomes.count < callCount, let outcome = await group.next() {
        outcomes += outcome.map { [$0] } ?? []
        served.merge(server.connections) { first, _ in first }
      }
      #expect(client.callCount == 0, comment)
      group.cancelAll()
      return outcomes
    }
    #expect(outcomes.count == callCount && !outcomes.contains(.wrong), "\(outcomes); \(comment)")
    #expect(cuts > 0 || outcomes.allSatisfy { $0 == .right }, "\(outcomes) without a cut; \(comment)")
    proxy.close()
    for _ in 0..<2_500 where !server.connections.isEmpty { try await loop.sleep(for: .milliseconds(2)) }
    #expect(server.connections.isEmpty, comment)
    for connection in served.values {
      #expect(connection.machine.runningHandlers == 0 && connection.machine.calls.isEmpty, comment)
      #expect(connection.link?.flow.calls.isEmpty != false, comment)
    }
    #expect(server.methodStatistics.allSatisfy { $0.statistics.active == 0 }, comment)
  }
}

/// A call that is going to be made, and what it comes to.
private struct CallPlan: Sendable {
  enum Outcome {
    /// The answer is the right one.
    case right
    /// The call failed in a way that says so.
    case lost
    /// Anything else.
    case wrong
  }

  private enum Shape: CaseIterable { case ask, produce, consume, echo }

  private let shape: Shape
  private let count: Int
  private let size: Int
  private let options: CallOptions

  init(_ random: inout SeededRandom, isHasty: Bool) {
    shape = Shape.allCases.randomElement(using: &random)!
    count = Int.random(in: 0...10, using: &random)
    size = Int.random(in: 0...4_000, using: &random)
    let time = isHasty && Int.random(in: 0..<6, using: &random) == 0 ? Int.random(in: 1...40, using: &random) : 20_000
    options = CallOptions(timeout: .milliseconds(time), waitsForReady: true)
  }

  func make(_ probe: ProbeClient) async -> Outcome {
    do {
      let isRight =
        switch shape {
        case .ask: try await ask(probe)
        case .produce: try await produce(probe)
        case .consume: try await consume(probe)
        case .echo: try await echo(probe)
        }
      return isRight ? .right : .wrong
    } catch let error as RPCError {
      return [.unavailable, .deadlineExceeded].contains(error.code) ? .lost : .wrong
    } catch {
      return .wrong
    }
  }

  private var payload: [UInt8] { [UInt8](repeating: 0x70, count: size) }

  private func ask(_ probe: ProbeClient) async throws -> Bool {
    try await probe.ask(AskRequest(payload: payload), options: options).payload == payload
  }

  private func produce(_ probe: ProbeClient) async throws -> Bool {
    var number: UInt64 = 0
    for try await piece in probe.produce(ProduceRequest(count: UInt64(count), size: UInt32(size)), options: options) {
      guard piece.number == number, piece.payload.count == size else { return false }
      number += 1
    }
    return number == count
  }

  private func consume(_ probe: ProbeClient) async throws -> Bool {
    let call = probe.consume(options: options)
    for number in 0..<count { try await call.send(Piece(number: UInt64(number), payload: payload)) }
    call.finish()
    return try await call.response() == ConsumeResponse(count: UInt64(count), bytes: UInt64(count * size))
  }

  private func echo(_ probe: ProbeClient) async throws -> Bool {
    let call = probe.echo(options: options)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 0..<count { try await call.send(Piece(number: UInt64(number), payload: payload)) }
        call.finish()
      }
      var number: UInt64 = 0
      for try await piece in call {
        guard piece.number == number, piece.payload == payload else { return false }
        number += 1
      }
      try await group.waitForAll()
      return number == count
    }
  }
}
