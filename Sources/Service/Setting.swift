/// One setting of a program: a flag and an environment variable of the same name.
package struct Setting: Sendable {
  /// What values are allowed.
  package enum Kind: Sendable {
    /// Any text.
    case text
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// Given or not; `1`, `true`, `0` or `false` in the environment.
    case flag
    /// One of these words.
    case choice([String])
    /// `host:port`, several separated by commas.
    case addresses
    /// A text of so many bytes, or none; no message repeats it.
    case secret(ClosedRange<Int>)
    /// Origins of web pages separated by commas, `*`, or nothing.
    case origins
    /// Three capital letters (ISO 4217).
    case currency
    /// A number from 0 to 1.
    case ratio
    /// A URL that begins with `http://` or `https://`, or nothing.
    case httpURL
  }

  /// The flag without its dashes, such as `http-port`.
  package let name: String
  /// What values are allowed.
  package let kind: Kind
  /// The value when none is given; nil when there must be one.
  package let defaultValue: String?
  /// What it is for, in a line.
  package let help: String

  /// A setting called `name`.
  package init(_ name: String, _ kind: Kind, default defaultValue: String?, _ help: String) {
    self.name = name
    self.kind = kind
    self.defaultValue = defaultValue
    self.help = help
  }

  /// A TCP port; 0 takes any free one.
  package static func port(_ name: String, default port: Int, _ help: String) -> Setting {
    Setting(name, .integer(0...65_535), default: "\(port)", help)
  }

  /// The environment variable, such as `GOZON_HTTP_PORT`.
  package var variable: String {
    "GOZON_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }

  var isFlag: Bool { if case .flag = kind { true } else { false } }

  var isSecret: Bool { if case .secret = kind { true } else { false } }

  /// Why `value` is not allowed; nil when it is.
  func problem(with value: String) -> String? {
    switch kind {
    case .text: return nil
    case .integer(let range):
      if let number = Int(value), range.contains(number) { return nil }
      return "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .flag:
      return ["1", "true", "0", "false"].contains(value) ? nil : "must be true or false"
    case .choice(let words):
      return words.contains(value) ? nil : "must be one of \(words.joined(separator: ", "))"
    case .currency:
      let isCode = value.utf8.count == 3 && value.utf8.allSatisfy { (0x41...0x5A).contains($0) }
      return isCode ? nil : "must be a currency of ISO 4217, such as RUB"
    case .ratio:
      if let number = Double(value), (0...1).contains(number) { return nil }
      return "must be a number from 0 to 1"
    case .httpURL:
      return value.isEmpty || Self.isHTTPURL(value) ? nil : "must be an http or https URL"
    case .secret(let range):
      if value.isEmpty || range.contains(value.utf8.count) { return nil }
      return "must have \(range.lowerBound) to \(range.upperBound) bytes"
    case .origins:
      return value.isEmpty || WebOrigin.list(value) != nil
        ? nil : "must be origins such as https://shop.example, separated by commas, or *"
    case .addresses:
      return Address.list(value) == nil ? "must be host:port, or several separated by commas" : nil
    }
  }

  /// Whether `text` may be a URL of HTTP: it names a host and has visible ASCII characters only (RFC 3986).
  package static func isHTTPURL(_ text: String) -> Bool {
    guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return false }
    let host = text.dropFirst(scheme.count).prefix { $0 != "/" }
    return !host.isEmpty && text.utf8.allSatisfy { 0x21...0x7E ~= $0 }
  }
}
