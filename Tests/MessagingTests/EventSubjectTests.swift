import Testing
import Wire

@testable import Messaging

@Suite struct EventSubjectTests {
  @Test(
    arguments: [
      ("00000000-0000-0000-0000-000000000000", 5), ("00112233-4455-6677-8899-aabbccddeeff", 11),
      ("ffffffff-ffff-ffff-ffff-ffffffffffff", 10), ("018e8f3a-7b1c-7d2e-9f00-123456789abc", 2),
    ] as [(String, Int16)])
  func `a user's lane is the CRC-32 of the id modulo 16, for ever`(user: String, lane: Int16) throws {
    let user = try #require(UUID(user))
    #expect(EventSubject.lane(of: user) == lane)
    #expect(EventSubject.subject(EventSubject.orderCreated, of: user) == "orders.created.\(lane)")
    #expect(EventSubject.subject(EventSubject.orderCancelled, of: user) == "orders.cancelled.\(lane)")
    #expect(EventSubject.subject(EventSubject.orderSettled, of: user) == "payments.settled.\(lane)")
  }

  @Test func `users spread over all lanes`() {
    var counts = [Int16: Int]()
    for _ in 0..<1_600 { counts[EventSubject.lane(of: .random()), default: 0] += 1 }
    #expect(counts.count == 16 && counts.values.allSatisfy { (40...180).contains($0) })
  }

  @Test(
    arguments: [
      ("orders.created.0", 0), ("orders.created.7", 7), ("orders.created.15", 15), ("orders.created.16", nil),
      ("orders.created.99", nil), ("orders.created.07", nil), ("orders.created.", nil), ("orders.created", nil),
      ("orders.created.-1", nil), ("orders.created.1x", nil), ("orders.created.100", nil), ("orders.createdx1", nil),
      ("orders.created.1.2", nil), ("orders.cancelled.1", nil), ("", nil), (".1", nil), ("orders", nil),
    ] as [(String, Int16?)])
  func `a lane is read from a subject of the wanted name, and from no other`(subject: String, lane: Int16?) {
    let bytes = Array(subject.utf8)
    #expect(EventSubject.lane(in: bytes.span, ofName: Array(EventSubject.orderCreated.utf8)) == lane)
  }
}
