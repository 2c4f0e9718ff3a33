/// How a benchmark loads a method.
struct LoadPlan: Equatable, Sendable {
  /// When a call is made.
  enum Pace: Equatable, Sendable {
    /// So many callers make the next call when they have the answer to the last: the highest rate, but a slow server is
    /// asked less.
    case closed(callers: Int)
    /// So many calls a second whatever the answers: how real users come. A call that has to wait for its turn began when
    /// it was due. At most `inFlightMax` are under way.
    case open(callsPerSecond: Int, inFlightMax: Int)
  }

  var pace: Pace
  var duration: Duration
  var connections: Int
  /// For each call.
  var timeout: Duration
}
