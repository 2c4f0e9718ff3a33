package import Service

/// The settings of what clients of the gateway may take, and who they may be.
package enum LimitSettings {
  /// All of them.
  package static let all = [
    // Off unless asked for: only the operator knows what a client of this shop needs, and without tokens all that come
    // through one proxy are one client.
    Setting(
      "rate-limit", .integer(0...1_000_000), default: "0",
      "Requests a second that each caller may send on average: each user, or each address of callers without a token; "
        + "0 for any number."),
    Setting(
      "rate-burst", .integer(0...1_000_000), default: "0",
      "Requests that a caller may send at once before --rate-limit holds; 0 for ten seconds' worth."),
    Setting(
      "proxy-hops", .integer(0...10), default: "0",
      "Proxies in front, each of which adds to X-Forwarded-For where it has a request from: callers without a token are "
        + "told apart by that."),
    Setting(
      "concurrency-max", .integer(1...1_000_000), default: "5000",
      "Requests in work at once; further ones are refused with 503 at once, before they take memory."),
    Setting(
      "cors-origins", .origins, default: "",
      "Origins whose pages may use the API from a browser, such as https://shop.example, separated by commas; * for all."
    ),
  ]

  /// What these settings say of rates; nil when there is no limit.
  static func policy(_ configuration: Configuration) -> RateLimiter.Policy? {
    let perSecond = configuration.integer("rate-limit")
    guard perSecond > 0 else { return nil }
    let burst = configuration.integer("rate-burst")
    return RateLimiter.Policy(perSecond: perSecond, burst: burst > 0 ? burst : perSecond * 10)
  }

  /// What these settings say of web pages; nil when only those of the gateway's own origin are for it.
  static func crossOrigin(_ configuration: Configuration) -> CrossOriginPolicy? {
    let text = configuration.text("cors-origins")
    return text.isEmpty ? nil : WebOrigin.list(text).map(CrossOriginPolicy.init)
  }
}
