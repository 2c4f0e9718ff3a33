import Testing

@testable import JetStream

@Suite struct AckSubjectTests {
  private let expected = AckSubject(
    deliveryCount: 2, streamSequence: 345, consumerSequence: 67, nanosecondsSince1970: 1_700_000_000_123_456_789,
    pendingCount: 8)

  private func parse(_ subject: [UInt8]) -> AckSubject? { AckSubject(parsing: subject.span) }

  @Test(arguments: [
    "$JS.ACK.ORDERS.payments.2.345.67.1700000000123456789.8",
    "$JS.ACK._.ACCOUNT.ORDERS.payments.2.345.67.1700000000123456789.8",
    "$JS.ACK.hub.ACCOUNT.ORDERS.payments.2.345.67.1700000000123456789.8.random",
    "$JS.ACK.hub.ACCOUNT.ORDERS.payments.2.345.67.1700000000123456789.8.random.more",
  ])
  func `all forms of the subject are read`(subject: String) {
    #expect(parse(Array(subject.utf8)) == expected)
  }

  @Test(arguments: [
    "", "$JS.ACK", "$JS.ACK.", "_INBOX.a.b.c.d.e.f.g.h",
    "$JS.ACK.ORDERS.payments.2.345.67.1700000000123456789",
    "$JS.ACK.ORDERS.payments.2.345.67.1700000000123456789.8.9",
    "$JS.ACK.ORDERS.payments.2.345.67.1700000000123456789.",
    "$JS.ACK.ORDERS.payments.2.3x5.67.1700000000123456789.8",
    "$JS.ACK.ORDERS.payments.-2.345.67.1700000000123456789.8",
    "$JS.ACK.ORDERS.payments.2.99999999999999999999.67.1700000000123456789.8",
    "$JS.ACK.ORDERS.payments.2.345.67.18446744073709551615.8",
    "$JS.ACK" + String(repeating: ".1", count: 40),
  ])
  func `anything else is none`(subject: String) {
    #expect(parse(Array(subject.utf8)) == nil)
  }

  @Test func `every truncation is none`() {
    let whole = Array("$JS.ACK.ORDERS.payments.2.345.67.1700000000123456789.8".utf8)
    for count in 0..<whole.count {
      #expect(parse(Array(whole[..<count])) == nil)
    }
  }
}
