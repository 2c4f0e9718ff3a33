internal import Postgres

/// How far a lane of the consumed stream is processed, and by whom: a row of the table `lanes`.
package struct LanePlace: Sendable, Equatable {
  /// The lane.
  package var lane: Int16
  /// Grows whenever the lane changes hands: who has an older one writes nothing any more.
  package var epoch: Int64
  /// Which stream of that name it was: when it was created, as the broker tells.
  package var stream: String
  /// The last message of the lane whose effect is in the database; 0 for none.
  package var sequence: Int64

  /// A lane that is processed up to `sequence`.
  package init(lane: Int16, epoch: Int64, stream: String = "", sequence: Int64 = 0) {
    self.lane = lane
    self.epoch = epoch
    self.stream = stream
    self.sequence = sequence
  }
}

/// Lanes have changed hands: what was about to be written about them is another process's to write.
package struct LanesLost: Error, Equatable {
  /// The lanes, as this process knew them.
  package var places: [LanePlace]
}
