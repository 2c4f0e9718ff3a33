internal import OTLP
package import Service

/// The settings that orders and payments share; `name` is `orders` or `payments`.
package enum BackendSettings {
  /// All settings of the service `name`, with its ports' defaults.
  package static func all(name: String, port: Int, adminPort: Int) -> [Setting] {
    [
      .port("\(name)-port", default: port, "The RPC port; 0 takes a free one."),
      .port(
        "\(name)-admin-port", default: adminPort, "The port of /healthz, /readyz and /metrics; 0 takes a free one."),
      Setting(
        "database-url-\(name)", .text, default: nil, "The PostgreSQL database, such as postgresql://user@host/\(name)."),
      Setting("database-connections", .integer(2...64), default: "4", "Connections to the database."),
      Setting(
        "nats-url", .text, default: "nats://127.0.0.1:14222",
        "The NATS server, with JetStream; of a cluster, its servers, with commas between them."),
      Setting(
        "nats-replicas", .integer(1...5), default: "1",
        "Servers of a NATS cluster that keep a copy of each stream: 3 to survive the loss of one; the same everywhere."),
      Setting("migrations", .text, default: "Schemas/sql/\(name)", "The directory of the database's migrations."),
      Setting(
        "currency", .currency, default: "RUB", "The shop's currency (ISO 4217): what is meant when none is said."),
    ] + RPCTLSSettings.server + [ServiceTokenSetting.server] + TracingSettings.all + CommonSettings.all
  }
}
