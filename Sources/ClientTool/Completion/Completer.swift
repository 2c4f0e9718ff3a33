internal import Service

/// Finds out what may come next on a command line that is being typed. A value that knows neither servers nor files:
/// it says what to look for.
struct Completer: Sendable {
  /// Something to choose.
  struct Candidate: Equatable, Sendable {
    let word: String
    /// What it is, in a line; empty when the word says it.
    var explanation = ""
  }

  /// What may come.
  enum Choice: Equatable, Sendable {
    /// One of these.
    case candidates([Candidate])
    /// Whatever this stands for.
    case search(Completion)
  }

  /// The word that is being typed; empty when it has not begun. Of `--name=value` only the value.
  let word: String
  /// What stands in front of ``word`` in the same word of the line: `--name=`, or nothing.
  let stem: String
  private let before: [String]

  /// A command line behind `gozon`, whose last word is being typed.
  init(_ words: [String]) {
    let last = words.last ?? ""
    let end = last.hasPrefix("--") ? last.firstIndex(of: "=").map(last.index(after:)) : nil
    stem = String(last[..<(end ?? last.startIndex)])
    word = String(last[(end ?? last.startIndex)...])
    before = Array(words.dropLast())
  }

  /// What may take the place of ``word``; not all of it begins like it.
  var choice: Choice {
    guard let syntax = CommandTable.syntax(of: before) else { return .candidates(commands) }
    let given = Array(before.dropFirst(syntax.words.count))
    if given.contains("--") { return operand(of: syntax, given) }
    if !stem.isEmpty {
      let option = syntax.options.first { $0.value != nil && stem == "--\($0.name)=" }
      return .search(option?.completion ?? .nothing)
    }
    if let last = given.last, let option = syntax.options.first(where: { $0.isWritten(last) }), option.value != nil {
      return .search(option.completion)
    }
    if word.hasPrefix("-") { return .candidates(options(of: syntax, given)) }
    return operand(of: syntax, given)
  }

  /// The words that name a command, as far as they are typed.
  private var commands: [Candidate] {
    var candidates: [Candidate] = []
    for syntax in CommandTable.commands.map({ $0.syntax }) where syntax.words.starts(with: before) {
      guard let next = syntax.words.dropFirst(before.count).first else { continue }
      let isGroup = syntax.words.count > before.count + 1
      if isGroup, candidates.contains(where: { $0.word == next }) { continue }
      candidates.append(Candidate(word: next, explanation: isGroup ? "" : syntax.summary))
    }
    return candidates
  }

  private func options(of syntax: CommandSyntax, _ given: [String]) -> [Candidate] {
    let free = syntax.options.filter { option in option.isRepeatable || !given.contains(where: option.isWritten) }
    return free.map { Candidate(word: "--\($0.name)", explanation: $0.help) }
      + [Candidate(word: "--help", explanation: "What the command does and takes.")]
  }

  private func operand(of syntax: CommandSyntax, _ given: [String]) -> Choice {
    var count = 0
    var rest = given[...]
    var areOptionsOver = false
    while let next = rest.popFirst() {
      if areOptionsOver || !next.hasPrefix("-") || next == "-" {
        count += 1
      } else if next == "--" {
        areOptionsOver = true
      } else if syntax.options.contains(where: { $0.isWritten(next) && $0.value != nil }) {
        rest = rest.dropFirst()
      }
    }
    let last = syntax.operands.last.flatMap { $0.isRepeatable ? $0 : nil }
    guard let operand = count < syntax.operands.count ? syntax.operands[count] : last else { return .candidates([]) }
    return .search(operand.completion)
  }
}
