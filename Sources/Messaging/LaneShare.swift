/// How processes share lanes: evenly, and without a word between them. No I/O.
enum LaneShare {
  /// What a process does that holds `held` of `total` lanes and shares them with others, `members` of them all together:
  /// takes so many more, if they are free, or gives up so many when the number is negative.
  ///
  /// Everybody's share is rounded up, so that the shares together are enough; a lane that nobody gave up is never taken, so
  /// nobody takes from another what that would take back.
  static func change(held: Int, of total: Int, members: Int) -> Int {
    let members = max(1, members)
    return (total + members - 1) / members - held
  }
}
