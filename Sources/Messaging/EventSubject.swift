package import Wire

/// The subjects that events travel on: a name and the lane of the user they are about.
package enum EventSubject {
  /// How many lanes there are. All events of a user are in one, and a lane has one consumer at a time, which takes them in
  /// their order.
  package static let laneCount: Int16 = 16

  /// Orders were taken.
  package static let orderCreated = "orders.created"
  /// Orders are to be cancelled.
  package static let orderCancelled = "orders.cancelled"
  /// Charges were decided, or given back.
  package static let orderSettled = "payments.settled"

  /// The lane of a user's events.
  package static func lane(of userID: UUID) -> Int16 {
    var bytes = userID.high.bigEndian
    var checksum = withUnsafeBytes(of: &bytes) { CRC32.checksum($0.bytes) }
    bytes = userID.low.bigEndian
    checksum = withUnsafeBytes(of: &bytes) { CRC32.checksum($0.bytes, after: checksum) }
    return Int16(checksum % UInt32(laneCount))
  }

  /// The subject of the events called `name` about a user.
  package static func subject(_ name: String, of userID: UUID) -> String { "\(name).\(lane(of: userID))" }

  /// The name of the events on a subject: the subject without its lane.
  static func name(of subject: String) -> Substring { subject[..<(subject.lastIndex(of: ".") ?? subject.endIndex)] }

  /// The lane of a subject whose events have a name of these bytes; nil when it is another name's, or of no lane.
  static func lane(in subject: Span<UInt8>, ofName name: [UInt8]) -> Int16? {
    let count = name.count
    let digits = subject.count - count - 1
    guard digits == 1 || digits == 2, subject[count] == UInt8(ascii: ".") else { return nil }
    for index in name.indices where subject[index] != name[index] { return nil }
    var lane: Int16 = 0
    for index in (count + 1)..<subject.count {
      let digit = subject[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      lane = lane * 10 + Int16(digit)
    }
    let isPlain = digits == 1 || subject[count + 1] != UInt8(ascii: "0")
    return isPlain && lane < laneCount ? lane : nil
  }
}
