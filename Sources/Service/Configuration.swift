/// The settings of a program, from its flags and its environment; flags win.
package struct Configuration: Sendable {
  /// What stops a program before it starts.
  package enum Refusal: Error, Equatable {
    /// `--help` was asked for; the text.
    case help(String)
    /// Everything that is wrong, a line each.
    case mistakes([String])
  }

  private let values: [String: String]
  /// The arguments that are no flags, in order.
  package let operands: [String]

  /// Reads the settings, and names every mistake at once.
  ///
  /// - Parameters:
  ///   - usage: the first lines of `--help`: how the program is called, and what it is.
  ///   - operandsMax: how many arguments may be no flags.
  ///   - check: what is wrong with settings that are right each for itself.
  package init(
    usage: String, settings: [Setting], arguments: [String], environment: [String: String], operandsMax: Int = 0,
    check: (Configuration) -> [String] = { _ in [] }
  ) throws(Refusal) {
    self = try Self.read(usage, settings, arguments, environment, operandsMax, check)
  }

  private init(_ reader: ArgumentReader) {
    values = reader.values
    operands = reader.operands
  }

  // The initializer itself must not throw once its properties are set: optimized, it would free them twice (Swift 6.3.1).
  private static func read(
    _ usage: String, _ settings: [Setting], _ arguments: [String], _ environment: [String: String], _ operandsMax: Int,
    _ check: (Configuration) -> [String]
  ) throws(Refusal) -> Configuration {
    var reader = ArgumentReader(settings: settings)
    reader.read(arguments)
    if reader.isHelpWanted { throw .help(help(usage, settings)) }
    reader.read(environment)
    reader.checkAll()
    if reader.operands.count > operandsMax {
      let excess = reader.operands.dropFirst(operandsMax).map { "\"\($0)\"" }.joined(separator: ", ")
      reader.mistakes.append("unexpected argument \(excess)")
    }
    let configuration = Configuration(reader)
    let mistakes = reader.mistakes + check(configuration)
    if !mistakes.isEmpty { throw .mistakes(mistakes) }
    return configuration
  }

  /// Whether the program has that setting, given or not.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The value of a setting that has a default or was required.
  package func text(_ name: String) -> String { values[name] ?? "" }

  /// The number of an integer setting.
  package func integer(_ name: String) -> Int { Int(text(name)) ?? 0 }

  /// Whether a flag is set.
  package func flag(_ name: String) -> Bool { ["1", "true"].contains(text(name)) }

  /// The addresses of an address setting.
  package func addresses(_ name: String) -> [Address] { Address.list(text(name)) ?? [] }

  private static func help(_ usage: String, _ settings: [Setting]) -> String {
    var lines = [usage, "", "Settings (a flag wins over its variable):"]
    for setting in settings {
      let value = setting.isFlag ? "" : " VALUE"
      let fallback =
        switch setting.defaultValue {
        case nil: "required"
        case "": "default: none"
        case let value?: "default: \(value)"
        }
      lines.append("  --\(setting.name)\(value)   (\(setting.variable); \(fallback))")
      lines.append("        \(setting.help)")
    }
    lines.append("  --help")
    lines.append("        Print this and exit.")
    return lines.joined(separator: "\n")
  }
}

/// Collects values and mistakes while settings are read.
private struct ArgumentReader {
  let settings: [Setting]
  var values: [String: String] = [:]
  var operands: [String] = []
  var mistakes: [String] = []
  var isHelpWanted = false

  init(settings: [Setting]) { self.settings = settings }

  mutating func read(_ arguments: [String]) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("--") else {
        if argument == "-h" { isHelpWanted = true } else { operands.append(argument) }
        continue
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if name == "help" {
        isHelpWanted = true
      } else if let setting = settings.first(where: { $0.name == name }) {
        if parts.count == 2 {
          values[name] = String(parts[1])
        } else if setting.isFlag {
          values[name] = "true"
        } else if let value = rest.popFirst() {
          values[name] = value
        } else {
          mistakes.append("--\(name) needs a value: \(setting.help)")
        }
      } else {
        mistakes.append("unknown flag --\(name); --help lists all")
      }
    }
  }

  mutating func read(_ environment: [String: String]) {
    for setting in settings where values[setting.name] == nil {
      if let value = environment[setting.variable], !value.isEmpty { values[setting.name] = value }
    }
  }

  mutating func checkAll() {
    for setting in settings {
      if let value = values[setting.name], !value.isEmpty || setting.defaultValue != nil {
        if let problem = setting.problem(with: value) {
          let shown = setting.isSecret ? "\(value.utf8.count)" : "\"\(value)\""
          mistakes.append("--\(setting.name) (\(setting.variable)) \(problem), not \(shown)")
        }
      } else if let fallback = setting.defaultValue {
        values[setting.name] = fallback
      } else {
        mistakes.append("--\(setting.name) (\(setting.variable)) is required: \(setting.help)")
      }
    }
  }
}
