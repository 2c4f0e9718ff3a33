internal import RPC

/// What became of a method's calls between two samples.
struct TopMethod: Equatable, Sendable {
  let server: String
  let name: String
  /// Calls under way.
  let active: UInt64
  /// Calls that ended in a second.
  let callsPerSecond: Double
  /// Those that failed: a caller who gave up is no failure.
  let errorsPerSecond: Double
  /// Microseconds; nil when no call ended.
  let p50: Double?
  let p99: Double?
  /// Calls that ended since the server started.
  let total: UInt64
  /// Those of them that failed.
  let errors: UInt64

  /// The method in `later`, compared with how it was `seconds` before; nil when it was not called then.
  init(server: String, _ later: MethodInfo, since earlier: MethodInfo?, seconds: Double) {
    self.server = server
    name = later.name
    active = later.active
    (total, errors) = (Self.ended(later), Self.failed(later))
    let classes = DurationClasses(later.durations, since: earlier?.durations ?? [])
    callsPerSecond = Self.rate(total, earlier.map(Self.ended), seconds)
    errorsPerSecond = Self.rate(errors, earlier.map(Self.failed), seconds)
    p50 = classes.quantile(0.5)
    p99 = classes.quantile(0.99)
  }

  private static func ended(_ method: MethodInfo) -> UInt64 { method.ended.reduce(0) { $0 &+ $1.count } }

  private static func failed(_ method: MethodInfo) -> UInt64 {
    method.ended.reduce(0) { [.ok, .cancelled].contains($1.status) ? $0 : $0 &+ $1.count }
  }

  private static func rate(_ later: UInt64, _ earlier: UInt64?, _ seconds: Double) -> Double {
    let earlier = earlier ?? 0
    return seconds > 0 ? Double(later >= earlier ? later - earlier : later) / seconds : 0
  }
}
