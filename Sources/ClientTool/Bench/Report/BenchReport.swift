internal import RPC

/// What a benchmark tells: of what, how, and what came of it.
struct BenchReport: Sendable {
  /// Such as `Orders.GetOrder`.
  let method: String
  /// How the protocol calls its shape.
  let shape: String
  let servers: [String]
  let plan: LoadPlan
  let result: LoadResult

  /// The quantiles that are told, as fractions.
  static let quantiles = [0.5, 0.75, 0.9, 0.99, 0.999, 0.9999]

  /// Whether messages of streams were counted.
  var hasMessages: Bool { result.sent.count + result.received.count > 0 }

  /// Such as `open loop, 1000 calls/s`.
  var pace: String {
    switch plan.pace {
    case .closed(let callers): "closed loop, \(callers) in flight"
    case .open(let rate, _): "open loop, \(rate)/s"
    }
  }

  /// Such as `2 connections to each server`.
  var connections: String {
    (plan.connections == 1 ? "1 connection" : "\(plan.connections) connections")
      + (servers.count > 1 ? " to each server" : "")
  }

  /// The failures by the numbers of their statuses.
  var failures: [(name: String, count: Int)] {
    result.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.name, $0.value) }
  }

  /// Such as `p99.9`.
  static func name(_ quantile: Double) -> String {
    var percent = fixedPoint(quantile * 100, 2)
    while percent.last == "0" { percent.removeLast() }
    if percent.last == "." { percent.removeLast() }
    return "p\(percent)"
  }

  /// Nanoseconds as milliseconds, such as `1.250`.
  static func milliseconds(_ nanoseconds: Double) -> String { fixedPoint(nanoseconds / 1_000_000, 3) }
}
