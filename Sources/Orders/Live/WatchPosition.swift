internal import Wire

/// A moment in the life of the database: what a watcher has been told of, and what not. No I/O.
package struct WatchPosition: Equatable, Sendable {
  /// The database's timeline: another one after a backup or a standby took its place (PostgreSQL, chapter 26.3.5), on which
  /// the numbers of transactions may be given a second time.
  package let timeline: UInt32
  /// What could be seen on it.
  package let snapshot: TransactionSnapshot

  /// The moment of `snapshot` on `timeline`.
  package init(timeline: UInt32, snapshot: TransactionSnapshot) {
    self.timeline = timeline
    self.snapshot = snapshot
  }

  /// Before everything.
  package static let beginning = WatchPosition(timeline: 0, snapshot: .beginning)

  /// Whether this was a moment of the database whose present is `now`; it was none of a database that lost it since.
  package func isBefore(_ now: WatchPosition) -> Bool {
    self == .beginning || timeline == now.timeline && snapshot.next <= now.snapshot.next
  }
}

// As a cursor: what is opaque to whoever keeps it.
extension WatchPosition {
  /// The form of cursors, so that another can come.
  private static let version: UInt8 = 1

  /// The position that a cursor says; nil when it is none of ours.
  package init?(cursor: String) {
    guard let bytes = Base64.url.decode(cursor), bytes.first == Self.version else { return nil }
    var numbers: [UInt64] = []
    var (number, shift): (UInt64, UInt64) = (0, 0)
    for byte in bytes.dropFirst() {
      guard shift < 63, numbers.count < TransactionSnapshot.underWayMax + 3 else { return nil }
      number |= UInt64(byte & 0x7F) << shift
      shift += 7
      if byte & 0x80 == 0 {
        numbers.append(number)
        (number, shift) = (0, 0)
      }
    }
    guard shift == 0, numbers.count >= 3, let timeline = UInt32(exactly: numbers[0]) else { return nil }
    var underWay: [UInt64] = []
    var last = numbers[1]
    for difference in numbers[3...] {
      last = last &+ difference
      underWay.append(last)
    }
    let next = numbers[1] &+ numbers[2]
    guard let snapshot = TransactionSnapshot(first: numbers[1], next: next, underWay: underWay) else { return nil }
    self.init(timeline: timeline, snapshot: snapshot)
  }

  /// The cursor: numbers in groups of 7 bits, the lower first, each but the first two as what it is above the one before.
  package var cursor: String {
    var bytes = [Self.version]
    Self.append(UInt64(timeline), to: &bytes)
    Self.append(snapshot.first, to: &bytes)
    Self.append(snapshot.next - snapshot.first, to: &bytes)
    var last = snapshot.first
    for transaction in snapshot.underWay {
      Self.append(transaction - last, to: &bytes)
      last = transaction
    }
    return Base64.url.encode(bytes)
  }

  private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
    var rest = number
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
