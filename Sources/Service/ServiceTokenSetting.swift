/// The setting of the token by which RPC's clients and servers know each other, where there is no mutual TLS.
package enum ServiceTokenSetting {
  /// Bytes of a token: guessing it must not pay.
  package static let lengths = 16...1_024

  private static let name = "service-token"

  /// What a program that answers RPC has.
  package static let server = setting(
    "RPC's callers must present this token. Set it in the environment: other users see the flags of a process.")
  /// What a program that calls by RPC has.
  package static let client = setting("The token to present to RPC servers; set it in the environment.")

  /// The token; nil when there is none.
  package static func token(_ configuration: Configuration) -> String? {
    let text = configuration.text(name)
    return text.isEmpty ? nil : text
  }

  private static func setting(_ help: String) -> Setting { Setting(name, .secret(lengths), default: "", help) }
}
