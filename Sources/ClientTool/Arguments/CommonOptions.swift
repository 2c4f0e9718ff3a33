internal import Service

/// The options that several commands have.
extension CommandSyntax.Option {
  /// Where the services are.
  static let backends = Self(
    name: "backends", value: "HOST:PORT,…", variable: "GOZON_BACKENDS",
    defaultValue: "127.0.0.1:7001,127.0.0.1:7002", help: "The services to talk to.")
  /// Where the broker is.
  static let natsURL = Self(
    name: "nats-url", value: "URL", variable: "GOZON_NATS_URL", defaultValue: "nats://127.0.0.1:14222",
    help: "The NATS server, with JetStream.")
  /// Where the database of orders is.
  static let ordersDatabase = Self(
    name: "database-url-orders", value: "URL", variable: "GOZON_DATABASE_URL_ORDERS", help: "The database of orders.")
  /// Where the database of payments is.
  static let paymentsDatabase = Self(
    name: "database-url-payments", value: "URL", variable: "GOZON_DATABASE_URL_PAYMENTS",
    help: "The database of payments.")
  /// How long to wait for an answer.
  static let timeout = Self(
    name: "timeout", value: "TIME", defaultValue: "10s", help: "How long to wait for each answer: 250ms, 10s, 2m.")
  /// For machines.
  static let json = Self(name: "json", help: "Print JSON, one document a line, instead of a table.")
  /// How the services are called.
  static let rpcSecurity =
    RPCTLSSettings.client.map {
      Self(name: $0.name, value: "FILE", variable: $0.variable, completion: .file, help: $0.help)
    } + [ServiceTokenSetting.client].map { Self(name: $0.name, value: "TOKEN", variable: $0.variable, help: $0.help) }
}
