internal import EventLoop
internal import RPC
internal import Schema
internal import Service

/// `gozon complete`: what the shells' scripts ask; not for people, so that no help names it.
struct CompleteCommand: Command {
  static let syntax = CommandSyntax(
    name: "complete", summary: "Prints what may take the place of the last word.",
    operands: [
      .init(name: "WORD", isOptional: true, isRepeatable: true, help: "The words of a command line behind gozon.")
    ],
    options: CompleteCommand.serverOptions)

  /// What is taken from the line that is being typed, to ask the right servers.
  private static let serverOptions = [CommandSyntax.Option.backends] + CommandSyntax.Option.rpcSecurity
  /// The longest that somebody who presses Tab waits for servers.
  private static let patience: Duration = .milliseconds(400)

  private let completer: Completer
  private let targets: BackendTargets?

  init(_ arguments: Arguments) throws(UsageError) {
    completer = Completer(arguments.operands)
    targets = Self.targets(of: arguments)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let word = completer.word
    let candidates =
      switch completer.choice {
      case .candidates(let candidates): candidates
      case .search(let completion): await candidates(of: completion, on: loop)
      }
    for candidate in candidates where candidate.word.hasPrefix(word) {
      let explanation = candidate.explanation.split(separator: "\n").first ?? ""
      let found = completer.stem + candidate.word
      terminal.print(explanation.isEmpty ? found : "\(found)\t\(explanation)")
    }
    return .ok
  }

  private func candidates(of completion: Completion, on loop: EventLoop) async -> [Completer.Candidate] {
    let word = completer.word
    switch completion {
    case .nothing: return []
    case .words(let words): return words.map { Completer.Candidate(word: $0) }
    case .file: return FileCandidates.paths(beginningWith: word).map { Completer.Candidate(word: $0) }
    case .fileBehindAt:
      guard word.hasPrefix("@") else { return [] }
      return FileCandidates.paths(beginningWith: String(word.dropFirst())).map { Completer.Candidate(word: "@\($0)") }
    case .method: return await catalog(on: loop)?.methodCandidates(isQualified: Self.isQualified(word)) ?? []
    case .name: return await catalog(on: loop)?.nameCandidates(isQualified: Self.isQualified(word)) ?? []
    }
  }

  /// Whether a name is typed with its package: packages are in lower case.
  private static func isQualified(_ word: String) -> Bool { word.first?.isLowercase ?? false }

  /// What the servers offer that answer soon enough.
  private func catalog(on loop: EventLoop) async -> Catalog? {
    guard var targets else { return nil }
    targets.options.connectTimeout = Self.patience
    return await Backends.with(targets, on: loop) { await $0.catalog(timeout: Self.patience) }
  }

  /// The servers that the line names so far; nil when it is too wrong to tell.
  private static func targets(of arguments: Arguments) -> BackendTargets? {
    var given: [String] = []
    var rest = arguments.operands.dropLast()[...]
    while let word = rest.popFirst() {
      let name = String(word.split(separator: "=", maxSplits: 1).first ?? "")
      guard serverOptions.contains(where: { $0.isWritten(name) }) else { continue }
      given.append(word)
      if name == word, let value = rest.popFirst() { given.append(value) }
    }
    return try? arguments.reading(given, of: syntax).backends()
  }
}
