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

  /// What is wrong with settings that are right each for itself.
  package static func problems(_ configuration: Configuration) -> [String] {
    let answersUsers = configuration.has(AuthenticationSettings.keys.name)
    let listening = ListenPolicy.problem(
      host: configuration.text("listen-host"), of: answersUsers ? .users : .services,
      isAuthenticated: answersUsers
        ? AuthenticationSettings.isAuthenticated(configuration) : RPCTLSSettings.isAuthenticated(configuration),
      isInsecureListen: configuration.flag("insecure-listen"))
    return [
      RPCTLSSettings.problem(configuration), HTTPTLSSettings.problem(configuration),
      AuthenticationSettings.problem(configuration), listening,
    ].compactMap { $0 }
  }
}
