internal import JSON
internal import JetStream
internal import Messaging
internal import Postgres
internal import RPC
internal import Service

/// The figures that every backend has.
enum BackendFigures {
  /// What became of the calls of each method, and how many are under way.
  static func calls(_ server: RPCServer) -> [Metric] {
    let methods = server.methodStatistics
    let ended = methods.flatMap { method in
      method.statistics.ended.enumerated().compactMap { code, count -> (Metric.Labels, Double)? in
        guard count > 0, let status = StatusCode(rawValue: UInt16(code)) else { return nil }
        return (["method": method.name, "status": status.name], Double(count))
      }
    }
    return [
      Metric(
        "rpc_server_started_total", .counter, "Calls that began.",
        values: methods.map { (["method": $0.name], Double($0.statistics.started)) }),
      Metric("rpc_server_ended_total", .counter, "Calls that ended, by their status.", values: ended),
      Metric(
        "rpc_server_running", .gauge, "Calls under way.",
        values: methods.map { (["method": $0.name], Double($0.statistics.active)) }),
      .histogram(
        "rpc_server_duration_seconds", "How long calls took.", .durations,
        methods.map { method in
          (
            ["method": method.name],
            Histogram(classes: method.statistics.durations, sum: method.statistics.durationMicroseconds)
          )
        }),
      Metric("rpc_server_connections", .gauge, "Open connections.", Double(server.connectionCount)),
    ]
  }

  /// How the connections to the database are, and what they did.
  static func pool(_ pool: PostgresPool) -> [Metric] {
    let (health, statistics) = (pool.health, pool.statistics)
    return [
      Metric("postgres_connections", .gauge, "Connections that are up.", Double(health.connected)),
      Metric("postgres_connections_wanted", .gauge, "Connections that there should be.", Double(health.wanted)),
      Metric("postgres_waiting", .gauge, "Requests that wait for a connection.", Double(health.waiting)),
      Metric("postgres_statements_total", .counter, "Statements sent.", Double(statistics.statements)),
      Metric(
        "postgres_syncs_total", .counter, "Round trips, each a commit outside of BEGIN.", Double(statistics.syncs)),
      Metric("postgres_cancels_total", .counter, "Requests to stop a statement.", Double(statistics.cancels)),
    ]
  }

  /// What the broker says of the stream of dead letters.
  static func deadLetters(_ broker: Broker) async throws -> [Metric] {
    let state = try await broker.client.streamInfo(EventStreams.dead.name)["state"]
    return [
      Metric(
        "dead_letters", .gauge, "Messages in the stream DEAD, of every service.",
        Double(state?["messages"]?.integer ?? 0))
    ]
  }

  /// How far a consumer is behind its stream; nothing when that cannot be told just now.
  static func lag(_ messages: Int?) -> [Metric] {
    guard let messages else { return [] }
    return [
      Metric(
        "consumer_lag_messages", .gauge, "Messages of this process's lanes that are not processed yet.",
        Double(messages))
    ]
  }
}
