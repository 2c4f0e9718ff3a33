package import Wire

/// The subjects that events travel on: a name and the lane of the user they are about.
package enum EventSubject {
  /// How many lanes there are; a consumer can take some of them.
  package static let laneCount: UInt32 = 16

  /// The lane of a user's events: all of one user's are in one lane.
  package static func lane(of userID: UUID) -> UInt32 {
    var bytes = userID.high.bigEndian
    var checksum = withUnsafeBytes(of: &bytes) { CRC32.checksum($0.bytes) }
    bytes = userID.low.bigEndian
    checksum = withUnsafeBytes(of: &bytes) { CRC32.checksum($0.bytes, after: checksum) }
    return checksum % laneCount
  }

  /// Orders were taken.
  package static func orderCreated(of userID: UUID) -> String { "orders.created.\(lane(of: userID))" }

  /// Orders are to be cancelled.
  package static func orderCancelled(of userID: UUID) -> String { "orders.cancelled.\(lane(of: userID))" }

  /// Charges were decided, or given back.
  package static func orderSettled(of userID: UUID) -> String { "payments.settled.\(lane(of: userID))" }
}
