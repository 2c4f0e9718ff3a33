/// Looks up the names of a set of files and checks the rules of the language, noting every mistake.
///
/// Mistakes of syntax are reported first, by themselves: what follows from a line that could not be read is noise.
struct Checker {
  /// A type or service by its full name.
  struct Declaration {
    enum Kind { case enumeration(Int), message(Int), service }

    let kind: Kind
    let fullName: String
    let file: Int
    let position: SourcePosition
  }

  let sources: [(name: String, source: String)]
  var syntax: [FileSyntax] = []
  var diagnostics: [SchemaDiagnostics] = []
  var declarations: [String: Declaration] = [:]
  /// The full names by the name without the package.
  var fullNames: [String: [String]] = [:]

  init(_ sources: some Sequence<(name: String, source: String)>) { self.sources = Array(sources) }

  mutating func check(count: Int) throws(SchemaErrors) -> SchemaSet {
    for source in sources {
      var diagnostics = SchemaDiagnostics(file: source.name)
      syntax.append(Parser.parse(source.source, &diagnostics))
      self.diagnostics.append(diagnostics)
    }
    if count > sources.count {
      report("\(count) files are given; at most \(SchemaSet.filesMax) are read", in: 0, at: SourcePosition())
    }
    try throwIfWrong()
    checkFiles()
    declareNames()
    let enums = checkEnums()
    let messages = checkMessages()
    checkNesting(messages)
    let services = checkServices(messages: messages)
    try throwIfWrong()
    let files = zip(sources, syntax).map { source, syntax in
      SchemaFile(
        name: source.name, source: source.source, package: syntax.package?.value ?? "",
        packagePosition: syntax.package?.position ?? SourcePosition(), imports: syntax.imports.map(\.value),
        importPositions: syntax.imports.map(\.position), docs: syntax.docs)
    }
    return SchemaSet(files: files, enums: enums, messages: messages, services: services)
  }

  private func throwIfWrong() throws(SchemaErrors) {
    let errors = diagnostics.flatMap { $0.errors.sorted { $0.position < $1.position } }
    if !errors.isEmpty { throw SchemaErrors(errors: Array(errors.prefix(SchemaErrors.countMax))) }
  }

  mutating func report(_ message: String, in file: Int, at position: SourcePosition) {
    diagnostics[file].report(message, at: position)
  }

  // MARK: Files and names

  private mutating func checkFiles() {
    var names: Set<String> = []
    for (file, source) in sources.enumerated() where !names.insert(source.name).inserted {
      report("the file is given twice", in: file, at: SourcePosition())
    }
    for file in syntax.indices {
      if let package = syntax[file].package {
        if !isPackageName(package.value) {
          report(
            "a package is words of lower-case letters and digits joined by dots, such as 'gozon.orders'", in: file,
            at: package.position)
        }
        requireDocs(syntax[file].docs, of: "file; write '///' lines before 'package'", in: file, at: package.position)
      }
      for name in syntax[file].imports where !names.contains(name.value) {
        report(
          "there is no file '\(name.value)'" + suggestion(for: name.value, among: names), in: file, at: name.position)
      }
    }
  }

  private mutating func declareNames() {
    var (enumCount, messageCount) = (0, 0)
    for file in syntax.indices {
      var names = syntax[file].services.map { (name: $0.name, kind: Declaration.Kind.service) }
      for declaration in syntax[file].enums {
        names.append((declaration.name, .enumeration(enumCount)))
        enumCount += 1
      }
      for declaration in syntax[file].messages {
        names.append((declaration.name, .message(messageCount)))
        messageCount += 1
      }
      for (name, kind) in names.sorted(by: { $0.name.position < $1.name.position }) { declare(name, kind, in: file) }
    }
  }

  private mutating func declare(_ name: Located<String>, _ kind: Declaration.Kind, in file: Int) {
    if !isUpperCamelCase(name.value) {
      report("'\(name.value)' must be in UpperCamelCase, such as 'OrderStatus'", in: file, at: name.position)
    }
    let fullName = self.fullName(name.value, in: file)
    if let first = declarations[fullName] {
      let place = "\(sources[first.file].name):\(first.position)"
      report("'\(name.value)' is declared already, at \(place)", in: file, at: name.position)
      return
    }
    declarations[fullName] = Declaration(kind: kind, fullName: fullName, file: file, position: name.position)
    fullNames[name.value, default: []].append(fullName)
  }

  func fullName(_ name: String, in file: Int) -> String {
    "\(syntax[file].package?.value ?? "").\(name)"
  }

  // MARK: Looking up types

  /// The type of this name as seen from a file; notes a mistake when there is none.
  mutating func resolve(_ name: Located<String>, in file: Int) -> FieldType? {
    if let type = FieldType.builtIn[name.value] { return type }
    guard let declaration = find(name, in: file) else { return nil }
    switch declaration.kind {
    case .enumeration(let index): return .enumeration(index)
    case .message(let index): return .message(index)
    case .service:
      report("'\(name.value)' is a service; a type belongs here", in: file, at: name.position)
      return nil
    }
  }

  /// The message of this name as seen from a file; notes a mistake when there is none.
  mutating func resolveMessage(_ name: Located<String>, in file: Int) -> Int? {
    guard let type = resolve(name, in: file) else { return nil }
    if case .message(let index) = type { return index }
    report("'\(name.value)' is not a message; a method takes and returns messages", in: file, at: name.position)
    return nil
  }

  private mutating func find(_ name: Located<String>, in file: Int) -> Declaration? {
    let candidates =
      declarations[fullName(name.value, in: file)].map { [$0.fullName] } ?? declarations[name.value].map {
        [$0.fullName]
      }
      ?? fullNames[name.value] ?? []
    let imported = Set(syntax[file].imports.map(\.value))
    let visible = candidates.compactMap { declarations[$0] }.filter {
      $0.file == file || imported.contains(sources[$0.file].name)
    }
    if visible.count == 1 { return visible[0] }
    if visible.count > 1 {
      let names = visible.map(\.fullName).sorted().joined(separator: " or ")
      report("'\(name.value)' has several meanings; write \(names)", in: file, at: name.position)
    } else if let hidden = candidates.first.flatMap({ declarations[$0] }) {
      let source = sources[hidden.file].name
      report(
        "'\(name.value)' is declared in another file; add 'import \"\(source)\"'", in: file, at: name.position)
    } else {
      let known = FieldType.builtIn.keys.sorted() + fullNames.keys.sorted()
      report(
        "there is no type '\(name.value)'" + suggestion(for: name.value, among: known), in: file, at: name.position)
    }
    return nil
  }

  mutating func requireDocs(_ docs: String, of what: String, in file: Int, at position: SourcePosition) {
    guard docs.isEmpty else { return }
    report("there is no doc comment ('///') for this \(what)", in: file, at: position)
  }
}

/// Whether the name is like `gozon.orders`.
private func isPackageName(_ name: String) -> Bool {
  name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
    $0.first?.isLowercase == true && $0.allSatisfy { $0.isLowercase || $0.isNumber }
  }
}

/// Whether the name is like `OrderStatus`.
func isUpperCamelCase(_ name: String) -> Bool { name.first?.isUppercase == true && !name.contains("_") }

/// Whether the name is like `createdAt`.
func isLowerCamelCase(_ name: String) -> Bool { name.first?.isLowercase == true && !name.contains("_") }

/// Whether the name is like `INSUFFICIENT_FUNDS`, each word beginning with a letter.
func isUpperSnakeCase(_ name: String) -> Bool {
  name.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { $0.first?.isUppercase == true }
    && name.allSatisfy { !$0.isLowercase }
}
