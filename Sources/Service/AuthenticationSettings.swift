/// The settings by which a program that answers HTTP knows its callers: by tokens (RFC 6750, RFC 7519).
package enum AuthenticationSettings {
  /// Where the keys are that sign tokens.
  package static let keys = Setting(
    "auth-jwks", .text, default: "",
    "Ask every caller for a token that is signed with a key of this file (JSON Web Key Set), which is read again when it "
      + "changes. Without it anybody may do everything.")
  /// Who makes tokens.
  package static let issuer = Setting(
    "auth-issuer", .text, default: "", "Take only tokens of this issuer (\"iss\").")
  /// Whom tokens are made for.
  package static let audience = Setting(
    "auth-audience", .text, default: "",
    "Take only tokens that are made for this audience (\"aud\"): set it when the issuer serves others too.")

  /// What a program that answers HTTP has.
  package static let all = [keys, issuer, audience]

  /// Whether the program answers HTTP, and asks its callers who they are.
  static func isAuthenticated(_ configuration: Configuration) -> Bool { !configuration.text(keys.name).isEmpty }

  /// What contradicts each other in the settings that the program has; nil when nothing does.
  static func problem(_ configuration: Configuration) -> String? {
    if isAuthenticated(configuration) { return nil }
    let given = [issuer, audience].first { !configuration.text($0.name).isEmpty }
    return given.map {
      "\($0.flagAndVariable) is set and \(keys.flagAndVariable) is not: no token is asked for without keys"
    }
  }
}
