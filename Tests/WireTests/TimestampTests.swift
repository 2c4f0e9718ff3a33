import Foundation
import Testing

import struct Wire.Timestamp

@Suite("Timestamp")
struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0), ("2026-11-20T14:50:00.123456Z", 1_795_186_200_123_456),
    ("2026-11-20T14:50:00.1Z", 1_795_186_200_100_000), ("2026-11-20T17:50:00+03:00", 1_795_186_200_000_000),
    ("2026-11-20T00:50:00-14:00", 1_795_186_200_000_000), ("2024-02-29T23:59:59Z", 1_709_251_199_000_000),
    ("1969-12-31T23:59:59.999999Z", -1), ("2000-02-29T00:00:00-00:00", 951_782_400_000_000),
    ("0000-01-01T00:00:00Z", -62_167_219_200_000_000), ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
  ])
  func `RFC 3339 is read to the microsecond`(text: String, microseconds: Int64) {
    #expect(Timestamp(text)?.microseconds == microseconds)
  }

  @Test(arguments: [
    "", "2026-11-20", "2026-11-20T14:50:00", "2026-11-20 14:50:00Z", "2026-11-20t14:50:00Z", "2026-11-20T14:50:00z",
    "2026-11-20T14:50Z", "2026-11-20T14:50:00.Z", "2026-11-20T14:50:00.1234567Z", "2026-11-20T24:00:00Z",
    "2026-11-20T14:60:00Z", "2026-11-20T14:50:60Z", "2026-13-20T14:50:00Z", "2026-00-20T14:50:00Z",
    "2026-11-00T14:50:00Z", "2026-11-31T14:50:00Z", "2026-02-29T14:50:00Z", "1900-02-29T14:50:00Z",
    "2026-11-20T14:50:00+24:00", "2026-11-20T14:50:00+0300", "2026-11-20T14:50:00+03:60", "2026-11-20T14:50:00Z ",
    "2026-11-20T14:50:00,5Z", "+026-11-20T14:50:00Z", "20260-1-20T14:50:00Z", "2026-11-20T14:50:00+3:00x",
    "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "２026-11-20T14:50:00Z",
  ])
  func `anything else is refused`(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (1_795_186_200_123_456, "2026-11-20T14:50:00.123456Z"),
    (1_795_186_200_120_000, "2026-11-20T14:50:00.120Z"), (-1, "1969-12-31T23:59:59.999999Z"),
    (-62_167_219_200_000_000, "0000-01-01T00:00:00Z"), (Int64.min, "0000-01-01T00:00:00Z"),
    (Int64.max, "9999-12-31T23:59:59.999999Z"),
  ])
  func `text has the fewest digits of a fraction that lose nothing`(microseconds: Int64, text: String) {
    #expect(Timestamp(microseconds: microseconds).description == text)
  }

  @Test func `every day of eight centuries comes back, and Foundation agrees`() throws {
    let formatter = ISO8601DateFormatter()
    var wrong: [Int] = []
    for day in -200_000..<100_000 {
      let timestamp = Timestamp(microseconds: Int64(day) * 86_400_000_000)
      let text = timestamp.description
      if Timestamp(text) != timestamp { wrong.append(day) }
      // Foundation counts days before 1582 by another calendar.
      if day % 97 == 0, day > -141_000, formatter.date(from: text)?.timeIntervalSince1970 != Double(day) * 86_400 {
        wrong.append(day)
      }
    }
    #expect(wrong == [])
  }

  @Test func `now is the system clock`() {
    #expect(abs(Double(Timestamp.now.microseconds) / 1e6 - Date().timeIntervalSince1970) < 5)
  }
}
