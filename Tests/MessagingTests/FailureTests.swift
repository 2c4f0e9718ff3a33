import EventLoop
@testable import Postgres
import RPC
import Service
import TestSupport
import Testing

@testable import Messaging

/// What failures of the database and of overload lead to.
@Suite struct FailureTests {
  private static let all: [PostgresError.Code] = [
    .connectionLost, .unknownOutcome, .overloaded, .timeout, .deadlineExceeded, .cancelled, .closed, .decoding,
    .protocolViolation, .migration,
    .server(.uniqueViolation), .server(.deadlockDetected), .server(.serializationFailure), .server(.checkViolation),
    .server("22003"), .server("25006"), .server("57014"), .server("XX000"),
  ]

  @Test(arguments: all) func `work is repeated when the same may pass, three times at most`(code: PostgresError.Code)
    async throws
  {
    for (isSafe, isRepeated) in [
      (
        true,
        [
          .connectionLost, .unknownOutcome, .server(.uniqueViolation), .server(.deadlockDetected),
          .server(.serializationFailure),
        ]
      ),
      (
        false, [.connectionLost, .server(.uniqueViolation), .server(.deadlockDetected), .server(.serializationFailure)]
      ),
    ] as [(Bool, Set<PostgresError.Code>)] {
      let tries = try await onLoop { loop in
        let tries = Locked(0)
        _ = try? await repeatingHarmlessly(on: loop, isSafeWhenUnknown: isSafe) {
          tries.withLock { $0 += 1 }
          throw PostgresError(code, "no")
        }
        return tries.withLock { $0 }
      }
      #expect(tries == (isRepeated.contains(code) ? 3 : 1), "\(code), safe: \(isSafe)")
    }
  }

  @Test func `work that passes in the end is a success`() async throws {
    let result = try await onLoop { loop in
      let tries = Locked(0)
      return try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        let count = tries.withLock {
          $0 += 1
          return $0
        }
        if count < 3 { throw PostgresError(.connectionLost, "no") }
        return count
      }
    }
    #expect(result == 3)
  }

  @Test func `an outcome that no later try can find out stays unknown`() async throws {
    for (later, told) in [
      (.connectionLost, .unknownOutcome), (.timeout, .unknownOutcome), (.unknownOutcome, .unknownOutcome),
      (.server(.checkViolation), .server(.checkViolation)),
    ] as [(PostgresError.Code, PostgresError.Code)] {
      let error = try await onLoop { loop in
        let tries = Locked(0)
        return await #expect(throws: PostgresError.self) {
          try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
            let count = tries.withLock {
              $0 += 1
              return $0
            }
            throw PostgresError(count == 1 ? .unknownOutcome : later, "no")
          }
        }
      }
      #expect(error?.code == told)
    }
  }

  @Test func `only values that the server refuses are blamed on the values`() {
    for code in Self.all {
      let isBlamed = [.server(.checkViolation), .server("22003")].contains(code)
      #expect(PostgresError(code, "no").isRefusalOfValues == isBlamed, "\(code)")
    }
  }

  @Test func `a caller is told what to do, and no word of the server's`() async {
    struct Busy: OverloadError {
      let waiting = 7
      let retryAfter = Duration.seconds(3)
    }
    struct Bug: Error {}
    let expected: [(any Error, StatusCode?)] = [
      (PostgresError(.connectionLost, "secret"), .unavailable), (PostgresError(.timeout, "secret"), .unavailable),
      (PostgresError(.closed, "secret"), .unavailable), (PostgresError(.unknownOutcome, "secret"), .unknown),
      (PostgresError(.overloaded, "secret"), .resourceExhausted),
      (PostgresError(.deadlineExceeded, "secret"), .deadlineExceeded),
      (PostgresError(.cancelled, "secret"), .cancelled), (BatchCameTooLate(), .deadlineExceeded),
      (Busy(), .resourceExhausted),
      (PostgresError(.server(.checkViolation), "secret"), nil), (Bug(), nil),
      (RPCError(.notFound, "no such thing"), .notFound),
    ]
    for (thrown, code) in expected {
      do {
        try await translatingFailures { throw thrown }
        Issue.record("\(thrown) was swallowed")
      } catch {
        let told = error as? RPCError
        #expect(told?.code == code, "\(thrown)")
        #expect(told?.message.contains("secret") != true)
        let isToRetry = code == .unavailable || code == .resourceExhausted || code == .unknown
        #expect((told?.retryAfter != nil) == isToRetry)
      }
    }
  }
}
