import Testing
import Wire

@testable import Orders

@Suite struct WatchPositionTests {
  private static func snapshot(_ text: String) throws -> TransactionSnapshot {
    try #require(TransactionSnapshot(text))
  }

  @Test func `a snapshot sees what had ended, as PostgreSQL spells it`() throws {
    let snapshot = try Self.snapshot("10:20:10,14,15")
    #expect(snapshot.description == "10:20:10,14,15")
    let seen = (1...25).filter { snapshot.sees(UInt64($0)) }
    #expect(seen == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 18, 19])
    #expect(try Self.snapshot("7:7:").underWay.isEmpty)
    #expect(!TransactionSnapshot.beginning.sees(1))
  }

  @Test(arguments: [
    "", ":", "::", "1", "1:2", "1:2:3:4", "a:2:", "2:1:", "0:1:", "1:2:2", "1:9:3,3", "1:9:4,3", "5:9:4", "1:9:x",
    "-1:2:", "1:9223372036854775808:",
  ])
  func `what is no snapshot is none`(text: String) {
    #expect(TransactionSnapshot(text) == nil)
  }

  @Test(arguments: [
    (1, "1:1:", "AQEBAA"), (1, "741:741:", "AQHlBQA"), (3, "10:20:10,14,15", "AQMKCgAEAQ"),
    (UInt32.max, "9223372036854775800:9223372036854775807:", "Af____8P-P________9_Bw"),
  ])
  func `a cursor says a position and nothing else`(timeline: UInt32, text: String, cursor: String) throws {
    let position = WatchPosition(timeline: timeline, snapshot: try Self.snapshot(text))
    #expect(position.cursor == cursor)
    #expect(WatchPosition(cursor: cursor) == position)
  }

  @Test func `every beginning of a cursor is refused, or says less`() throws {
    let position = WatchPosition(timeline: 3, snapshot: try Self.snapshot("10:900000:10,14,15,899999"))
    let bytes = try #require(Base64.url.decode(position.cursor))
    for count in bytes.indices {
      let part = WatchPosition(cursor: Base64.url.encode(Array(bytes.prefix(count))))
      #expect(part != position)
      if let part { #expect(part.snapshot.underWay.count < 4) }
    }
  }

  @Test(arguments: [
    "", "A", "AQ", "AgEBAA", "AQEAAA", "AQEBAQE", "AQEBAAA", "AQ-_", "zzz", "AQHlBQA=", "AQHlBQ A",
    // Too long a number; too large a timeline; too many transactions.
    "Af___________wEBAA", "AYCAgIAQAQA", Base64.url.encode([1, 1, 1, 127] + Array(repeating: 1, count: 5_000)),
  ])
  func `what is no cursor is refused`(cursor: String) {
    #expect(WatchPosition(cursor: cursor) == nil)
  }

  @Test func `random bytes are no cursor, or one that comes back`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      let bytes = [1] + (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: 0...255) & 0x8F }
      guard let position = WatchPosition(cursor: Base64.url.encode(bytes)) else { continue }
      #expect(WatchPosition(cursor: position.cursor) == position)
    }
  }

  @Test func `a position of another timeline, or of a future, is not before the present`() throws {
    let present = WatchPosition(timeline: 2, snapshot: try Self.snapshot("10:20:10"))
    #expect(WatchPosition(timeline: 2, snapshot: try Self.snapshot("5:20:5")).isBefore(present))
    #expect(!WatchPosition(timeline: 2, snapshot: try Self.snapshot("5:21:5")).isBefore(present))
    #expect(!WatchPosition(timeline: 1, snapshot: try Self.snapshot("5:6:")).isBefore(present))
    #expect(WatchPosition.beginning.isBefore(present))
  }
}
