/// The settings that every service has.
package enum CommonSettings {
  /// Where to listen, what to tell of the ports, how to log.
  package static let all = [
    Setting("listen-host", .text, default: "127.0.0.1", "The address to listen on."),
    Setting(
      "insecure-listen", .flag, default: "false",
      "Listen beyond loopback without authentication; only on a private network that you trust."),
    Setting("ports-file", .text, default: "", "Write the ports that are listened on there, as JSON."),
    Setting("log-level", .choice(["debug", "info", "warning", "error"]), default: "info", "The least that is logged."),
    Setting("log-format", .choice(["auto", "json", "text"]), default: "auto", "Text on a terminal, JSON elsewhere."),
  ]

  /// Why the program must not listen as configured; nil when it may.
  package static func listenProblem(_ configuration: Configuration) -> String? {
    let host = configuration.text("listen-host")
    if Address.isLoopback(host) || configuration.flag("insecure-listen") { return nil }
    return "--listen-host \(host) is reachable from other machines, and there is no authentication: listen on "
      + "127.0.0.1, or set --insecure-listen (GOZON_INSECURE_LISTEN=1) on a private network that you trust"
  }
}
