internal import RPC

/// What a load measured.
struct LoadResult: Sendable {
  /// Of the calls that were answered with OK, from when each was due.
  var latencies = LatencyHistogram()
  /// The calls that failed, by status.
  var failures: [StatusCode: Int] = [:]
  /// Calls of an open load that were due and still waited for their turn when it ended.
  var neverBegun = 0
  /// From the first call to the last answer.
  var elapsed: Duration = .zero

  /// Calls answered with OK a second.
  var callsPerSecond: Double {
    elapsed > .zero ? Double(latencies.count) / (elapsed / .seconds(1)) : 0
  }

  /// Calls that failed.
  var failureCount: Int { failures.values.reduce(0, +) }
}
