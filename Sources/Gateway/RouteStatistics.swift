internal import HTTP
internal import Service

/// What became of the requests of one route.
// Confined to the gateway's event loop.
package final class RouteStatistics: @unchecked Sendable {
  /// The method, and the template of the path: never a path that somebody sent.
  let (method, route): (String, String)
  /// Requests that are in work.
  var running = 0
  /// Responses by status, from 100 on.
  private(set) var statuses = [UInt64](repeating: 0, count: 500)
  /// How long requests took until their response began, in microseconds.
  private(set) var durations = Histogram()

  init(method: String, route: String) { (self.method, self.route) = (method, route) }

  /// A request was answered.
  func answered(_ status: HTTPStatus, after duration: Duration) {
    statuses[status.code - 100] &+= 1
    durations.record(duration)
  }
}
