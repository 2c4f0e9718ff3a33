import EventLoop
import RPC
import TestSupport
import Testing

@testable import Idempotency

@Suite struct RunningKeysTests {
  private static func request(_ bytes: [UInt8] = [1], principal: String = "ann") -> IdempotentRequest {
    let key = IdempotencyKey("k", method: "Pay", principal: Principal(subject: principal))
    return IdempotentRequest(key, request: bytes)
  }

  /// What a second request is told while the first runs: nil when it is let through.
  private static func second(
    _ second: IdempotentRequest?, _ metadata: Metadata = [:]
  ) async throws -> RPCError? {
    try await onLoop { loop in
      let keys = RunningKeys(loop: loop)
      let refusal = try await keys.answering(request(), [:]) {
        #expect(keys.count == 1)
        do {
          try await keys.answering(second, metadata) { try await loop.sleep(for: .milliseconds(1)) }
          #expect(keys.count == 1, "the first still runs")
          return nil as RPCError?
        } catch {
          return error as? RPCError
        }
      }
      #expect(keys.count == 0)
      return refusal
    }
  }

  @Test func `a second request under a key that runs is to come again`() async throws {
    let refusal = try #require(try await Self.second(Self.request()))
    #expect(refusal.code == .aborted && refusal.reason == "IDEMPOTENCY_KEY_IN_USE" && refusal.retryAfter == .seconds(1))
  }

  @Test func `another request under a key that runs is refused for good`() async throws {
    let refusal = try #require(try await Self.second(Self.request([2])))
    #expect(refusal.code == .invalidArgument && refusal.reason == "IDEMPOTENCY_KEY_REUSED")
  }

  @Test func `everything else is let through`() async throws {
    #expect(try await Self.second(nil) == nil)
    #expect(try await Self.second(Self.request(principal: "bob")) == nil)
    #expect(
      try await Self.second(Self.request(), ["attempt": "2"]) == nil, "the client library has lost the connection")
  }

  @Test func `a key is free again when its request has failed`() async throws {
    try await onLoop { loop in
      let keys = RunningKeys(loop: loop)
      await #expect(throws: CancellationError.self) {
        try await keys.answering(Self.request(), [:]) { throw CancellationError() }
      }
      #expect(keys.count == 0)
      let answer = try await keys.answering(Self.request([2]), [:]) { 7 }
      #expect(answer == 7)
    }
  }
}
