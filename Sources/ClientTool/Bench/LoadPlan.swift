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

  /// When a load is over.
  enum End: Equatable, Sendable {
    /// After so long.
    case duration(Duration)
    /// After so many calls.
    case calls(Int)
  }

  var pace: Pace
  var end: End
  /// The time before anything is measured.
  var warmUp: Duration = .zero
  var connections: Int
  /// For each call.
  var timeout: Duration
  /// Requests of each call whose requests are a stream.
  var messagesPerCall = 100
}
