import Testing
import Wire

@testable import Messaging

@Suite struct EventSubjectTests {
  @Test(
    arguments: [
      ("00000000-0000-0000-0000-000000000000", 5), ("00112233-4455-6677-8899-aabbccddeeff", 11),
      ("ffffffff-ffff-ffff-ffff-ffffffffffff", 10), ("018e8f3a-7b1c-7d2e-9f00-123456789abc", 2),
    ] as [(String, UInt32)])
  func `a user's lane is the CRC-32 of the id modulo 16, for ever`(user: String, lane: UInt32) throws {
    let user = try #require(UUID(user))
    #expect(EventSubject.lane(of: user) == lane)
    #expect(EventSubject.orderCreated(of: user) == "orders.created.\(lane)")
    #expect(EventSubject.orderCancelled(of: user) == "orders.cancelled.\(lane)")
    #expect(EventSubject.orderSettled(of: user) == "payments.settled.\(lane)")
  }

  @Test func `users spread over all lanes`() {
    var counts = [UInt32: Int]()
    for _ in 0..<1_600 { counts[EventSubject.lane(of: .random()), default: 0] += 1 }
    #expect(counts.count == 16 && counts.values.allSatisfy { (40...180).contains($0) })
  }
}
