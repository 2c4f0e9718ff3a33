/// What a command is called and what may follow it on the command line.
struct CommandSyntax: Sendable {
  /// A word after the command that is no option.
  struct Operand: Sendable {
    /// As the help writes it, such as `METHOD`.
    let name: String
    /// Whether it may be left out.
    var isOptional = false
    /// Whether there may be several; only the last operand of a command.
    var isRepeatable = false
    /// What a shell may offer for it.
    var completion = Completion.nothing
    /// What it is, in a line.
    let help: String
  }

  /// An option, written `--name value` or `--name=value`.
  struct Option: Sendable {
    /// Without its dashes.
    let name: String
    /// The letter of the short form, such as `v` of `-v`.
    var letter: Character?
    /// What stands for the value in the help; nil when there is none.
    var value: String?
    /// Whether it may be given several times.
    var isRepeatable = false
    /// The environment variable that does the same.
    var variable: String?
    /// The value when none is given.
    var defaultValue: String?
    /// What a shell may offer for the value.
    var completion = Completion.nothing
    /// What it is for, in a line.
    let help: String
  }

  /// One or two words, such as `stream view`.
  let name: String
  /// What it does, in a line.
  let summary: String
  /// What else a user has to know, in paragraphs.
  var details = ""
  var operands: [Operand] = []
  var options: [Option] = []

  /// How it is called: `gozon call METHOD [REQUEST] [options]`.
  var usage: String {
    let operands = operands.map { operand in
      let name = operand.name + (operand.isRepeatable ? "…" : "")
      return operand.isOptional ? " [\(name)]" : " \(name)"
    }.joined()
    return "gozon \(name)\(operands)\(options.isEmpty ? "" : " [options]")"
  }

  /// The text of `--help`.
  var help: String {
    var lines = [usage, "", summary]
    if !details.isEmpty { lines += ["", details] }
    if !operands.isEmpty {
      lines += ["", "Arguments:"] + Self.aligned(operands.map { ("  \($0.name)", $0.help) })
    }
    if !options.isEmpty { lines += ["", "Options:"] + Self.aligned(options.map { ($0.label, $0.explanation) }) }
    return lines.joined(separator: "\n")
  }

  /// Two columns; a long left cell stands on a line of its own.
  static func aligned(_ rows: [(left: String, right: String)]) -> [String] {
    let width = rows.map(\.left.count).filter { $0 <= 28 }.max() ?? 0
    return rows.map { row in
      let isLong = row.left.count > width
      let padding = String(repeating: " ", count: isLong ? width : width - row.left.count)
      return "\(row.left)\(isLong ? "\n" : "")\(padding)  \(row.right)"
    }
  }
}

extension CommandSyntax.Option {
  /// Whether `word` is the option, in its long or its short form.
  func isWritten(_ word: some StringProtocol) -> Bool {
    word == "--\(name)" || letter.map { word == "-\($0)" } ?? false
  }

  fileprivate var label: String {
    "  " + (letter.map { "-\($0), " } ?? "") + "--\(name)" + (value.map { " \($0)" } ?? "")
  }

  fileprivate var explanation: String {
    let notes = [
      isRepeatable ? "may be repeated" : nil, variable.map { "or \($0)" }, defaultValue.map { "default \($0)" },
    ].compactMap { $0 }
    return notes.isEmpty ? help : "\(help) (\(notes.joined(separator: "; ")))"
  }
}
