import API
import RPC
import Testing
import Wire

@testable import Idempotency

@Suite struct IdempotentRequestTests {
  private static let request = DepositRequest(userId: UUID(high: 1, low: 2), amount: 5)

  private static func own(_ metadata: Metadata) throws(RPCError) -> IdempotentRequest? {
    try IdempotentRequest(request, of: "Deposit", metadata)
  }

  @Test func `a call without a key is none`() throws {
    #expect(try Self.own([:]) == nil)
  }

  @Test func `a key is of a method and of a principal`() throws {
    let nobodys = try #require(try Self.own(["idempotency-key": "k"]))
    #expect(nobodys.key.value == "k" && nobodys.key.scope == "Deposit" && nobodys.request == Self.request.encoded())
    let anns = try #require(try Self.own(["idempotency-key": "k", "principal": "ann", "scopes": "operator"]))
    #expect(anns.key.scope == "Deposit ann" && anns.request == nobodys.request)
    let keys = [
      nobodys.key, anns.key, IdempotencyKey("k", method: "CreateAccount"), IdempotencyKey("l", method: "Deposit"),
    ]
    #expect(Set(keys).count == 4)
  }

  @Test func `what cannot be stored is refused`() {
    for metadata in [["idempotency-key": "a b"], ["idempotency-key": "k", "principal": "a\u{0}b"]] as [Metadata] {
      let error = #expect(throws: RPCError.self) { try Self.own(metadata) }
      #expect(error?.code == .invalidArgument)
    }
  }
}
