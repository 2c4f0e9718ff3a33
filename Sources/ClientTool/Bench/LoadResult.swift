internal import RPC

/// What a load measured.
struct LoadResult: Sendable {
  /// Messages of streams that went one way.
  struct Messages: Equatable, Sendable {
    var count = 0
    var bytes = 0
  }

  /// Of the calls that were answered with OK, from when each was due.
  var latencies = LatencyHistogram()
  /// The calls that failed, by status.
  var failures: [StatusCode: Int] = [:]
  /// Calls of an open load that were due and still waited for their turn when it ended.
  var neverBegun = 0
  /// Calls with a stream that were given up when the load ended.
  var cutOff = 0
  /// Messages of streams to the server.
  var sent = Messages()
  /// Messages of streams from the server.
  var received = Messages()
  /// What happened when.
  var timeline = LoadTimeline()
  /// From the first measured call to the last answer.
  var elapsed: Duration = .zero
  /// Whether it ended because somebody interrupted it.
  var isInterrupted = false

  /// Calls answered with OK a second.
  var callsPerSecond: Double { perSecond(Double(latencies.count)) }

  /// Calls that failed.
  var failureCount: Int { failures.values.reduce(0, +) }

  /// So many of something, a second.
  func perSecond(_ count: Double) -> Double { elapsed > .zero ? count / (elapsed / .seconds(1)) : 0 }
}
