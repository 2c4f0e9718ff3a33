internal import Schema
internal import Service

/// What was given to a command.
struct Arguments: Sendable {
  /// Everything that stands behind the command's name.
  let words: [String]
  /// The words that are no options, in order.
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]
  private let environment: [String: String]
  private(set) var isHelpWanted = false

  /// Reads what stands behind the command's name; what is missing comes from the environment, then from the defaults.
  init(
    _ words: some Sequence<String>, of syntax: CommandSyntax, environment: [String: String] = [:]
  ) throws(UsageError) {
    self.words = Array(words)
    self.environment = environment
    var rest = self.words[...]
    var areOptionsOver = false
    while let word = rest.popFirst() {
      if areOptionsOver || !word.hasPrefix("-") || word == "-" {
        operands.append(word)
      } else if word == "--" {
        areOptionsOver = true
      } else if word == "--help" || word == "-h" {
        isHelpWanted = true
      } else {
        try readOption(word, &rest, syntax)
      }
    }
    if isHelpWanted { return }
    try checkOperands(syntax)
    for option in syntax.options where values[option.name] == nil {
      let fallback = option.variable.flatMap { environment[$0] }.flatMap { $0.isEmpty ? nil : $0 }
      if let value = fallback ?? option.defaultValue { values[option.name] = [value] }
    }
  }

  /// Other words, with the same environment.
  func reading(_ words: [String], of syntax: CommandSyntax) throws(UsageError) -> Arguments {
    try Arguments(words, of: syntax, environment: environment)
  }

  private mutating func readOption(
    _ word: String, _ rest: inout ArraySlice<String>, _ syntax: CommandSyntax
  ) throws(UsageError) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let option = syntax.options.first(where: { $0.isWritten(parts[0]) }) else {
      let hint = suggestion(
        for: "--\(parts[0].drop { $0 == "-" })", among: syntax.options.map { "--\($0.name)" } + ["--help"])
      throw UsageError("'\(syntax.name)' has no option \(parts[0])\(hint)")
    }
    let name = option.name
    let value: String
    switch (option.value, parts.count) {
    case (nil, 1): value = "true"
    case (nil, _): throw UsageError("--\(name) takes no value")
    case (_, 2): value = String(parts[1])
    case (let placeholder?, _):
      guard let next = rest.popFirst() else {
        throw UsageError("--\(name) needs a value: --\(name) \(placeholder)")
      }
      value = next
    }
    if values[name] != nil, !option.isRepeatable { throw UsageError("--\(name) is given twice") }
    values[name, default: []].append(value)
  }

  private func checkOperands(_ syntax: CommandSyntax) throws(UsageError) {
    if operands.count > syntax.operands.count, syntax.operands.last?.isRepeatable != true {
      throw UsageError("unexpected argument '\(operands[syntax.operands.count])'; usage: \(syntax.usage)")
    }
    if let missing = syntax.operands.dropFirst(operands.count).first(where: { !$0.isOptional }) {
      throw UsageError("\(missing.name) is missing; usage: \(syntax.usage)")
    }
  }

  // MARK: Values

  /// The operand at `index`, when it was given.
  func operand(_ index: Int) -> String? { index < operands.count ? operands[index] : nil }

  /// Whether an option without value was given.
  func flag(_ name: String) -> Bool { values[name] != nil }

  /// The value of an option.
  func text(_ name: String) -> String? { values[name]?.last }

  /// Every value of an option that may be repeated.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// The number of an option.
  func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = text(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "--\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
    }
    return number
  }

  /// The duration of an option, such as `10s`, `250ms` or `2m`; a bare number is seconds.
  func duration(_ name: String) throws(UsageError) -> Duration? {
    guard let text = text(name) else { return nil }
    guard let duration = Duration(argument: text), duration > .zero else {
      throw UsageError("--\(name) must be a time such as 10s, 250ms or 2m, not '\(text)'")
    }
    return duration
  }

  /// The addresses of an option.
  func addresses(_ name: String) throws(UsageError) -> [Address] {
    let text = text(name) ?? ""
    guard let addresses = Address.list(text) else {
      throw UsageError("--\(name) must be host:port, or several separated by commas, not '\(text)'")
    }
    return addresses
  }
}

extension Duration {
  /// The time that `text` gives, such as `10s`, `250ms`, `1.5s` or `2m`; nil when it is none, or longer than a day.
  init?(argument text: String) {
    let units: [(name: String, seconds: Double)] = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)]
    guard let unit = units.first(where: { text.hasSuffix($0.name) }),
      let number = Double(text.dropLast(unit.name.count)), number >= 0
    else { return nil }
    let seconds = number * unit.seconds
    guard seconds <= 86_400 else { return nil }
    self = .seconds(seconds)
  }
}
