internal import Service

/// What became of all requests, route by route. There are as many entries as routes were ever known, and few others.
// Confined to the gateway's event loop.
package final class GatewayStatistics: @unchecked Sendable {
  /// The route of requests that are of none.
  static let unmatched = "unmatched"

  private struct Key: Hashable {
    let method: String
    let route: String
  }

  private var routes: [Key: RouteStatistics] = [:]

  /// Nothing yet.
  package init() {}

  /// The statistics of a route.
  func of(_ method: String, _ route: String) -> RouteStatistics {
    let key = Key(method: method, route: route)
    if let known = routes[key] { return known }
    let new = RouteStatistics(method: key.method, route: route)
    routes[key] = new
    return new
  }

  /// The figures of all routes that were asked for.
  var metrics: [Metric] {
    let routes = routes.values.filter { $0.running > 0 || $0.durations.count > 0 }
      .sorted { ($0.route, $0.method) < ($1.route, $1.method) }
    let responses = routes.flatMap { route in
      route.statuses.enumerated().filter { $0.element > 0 }.map { index, count in
        (
          ["method": route.method, "route": route.route, "status": "\(index + 100)"] as Metric.Labels,
          Double(count)
        )
      }
    }
    return [
      Metric("http_responses_total", .counter, "Responses, by route and status.", values: responses),
      Metric(
        "http_running", .gauge, "Requests in work, by route.",
        values: routes.map { (["method": $0.method, "route": $0.route], Double($0.running)) }),
      .histogram(
        "http_duration_seconds", "How long requests took until their response began.", .durations,
        routes.map { (["method": $0.method, "route": $0.route], $0.durations) }),
    ]
  }
}
