/// Reads one schema file into its syntax, noting every mistake and going on behind it.
struct Parser {
  private let tokens: [Token]
  private var index = 0
  private var diagnostics: SchemaDiagnostics

  /// Thrown to leave a declaration whose mistake has been noted.
  private struct Abandoned: Error {}

  private init(tokens: [Token], diagnostics: SchemaDiagnostics) {
    self.tokens = tokens
    self.diagnostics = diagnostics
  }

  /// The syntax of a file, as far as it can be read.
  static func parse(_ source: String, _ diagnostics: inout SchemaDiagnostics) -> FileSyntax {
    guard let tokens = Lexer.tokens(of: source, &diagnostics) else { return FileSyntax() }
    var parser = Parser(tokens: tokens, diagnostics: diagnostics)
    let file = parser.parseFile()
    diagnostics = parser.diagnostics
    return file
  }

  // MARK: Declarations

  private mutating func parseFile() -> FileSyntax {
    var file = FileSyntax()
    while peek.kind != .end {
      let start = index
      do {
        try parseDeclaration(into: &file)
      } catch {
        if index == start { index += 1 }
        skip { $0.isDeclarationKeyword }
      }
    }
    if file.package == nil {
      diagnostics.report("the file names no package; begin it with 'package gozon.name'", at: SourcePosition())
    }
    return file
  }

  private mutating func parseDeclaration(into file: inout FileSyntax) throws(Abandoned) {
    let docs = takeDocs()
    let keyword = peek
    guard case .word(let word) = keyword.kind else { throw fail("expected a declaration, found \(keyword.spelling)") }
    index += 1
    switch word {
    case "package":
      let name = try takeDottedName()
      if file.package != nil { diagnostics.report("the file names its package twice", at: keyword.position) }
      file.package = file.package ?? name
      if file.docs.isEmpty { file.docs = docs }
    case "import":
      file.imports.append(try takeString("the name of a file, such as \"orders.gozon\""))
    case "enum":
      file.enums.append(try parseEnum(docs))
    case "message":
      file.messages.append(try parseMessage(docs))
    case "service":
      file.services.append(try parseService(docs))
    default:
      let keywords = ["package", "import", "enum", "message", "service"]
      index -= 1
      throw fail(
        "expected package, import, enum, message or service, found '\(word)'" + suggestion(for: word, among: keywords))
    }
  }

  private mutating func parseEnum(_ docs: String) throws(Abandoned) -> EnumSyntax {
    var declaration = EnumSyntax(docs: docs, name: try takeWord("the enum's name"))
    try parseBody { parser throws(Abandoned) in
      let docs = parser.takeDocs()
      let name = try parser.takeWord("a case such as 'NEW = 1'")
      let number = try parser.takeNumber()
      declaration.cases.append(EnumCaseSyntax(docs: docs, name: name, number: number))
    }
    return declaration
  }

  private mutating func parseMessage(_ docs: String) throws(Abandoned) -> MessageSyntax {
    var declaration = MessageSyntax(docs: docs, name: try takeWord("the message's name"))
    try parseBody { parser throws(Abandoned) in
      declaration.members.append(try parser.parseMember())
    }
    return declaration
  }

  private mutating func parseMember() throws(Abandoned) -> MemberSyntax {
    let docs = takeDocs()
    let name = try takeWord("a field such as 'amount: int64 = 1'")
    if name.value == "reserved", peek.kind != .symbol(":") {
      let type = try parseType()
      return MemberSyntax(docs: docs, name: nil, type: type, number: try takeNumber(), marks: [])
    }
    try take(":")
    let type = try parseType()
    let number = try takeNumber()
    return MemberSyntax(docs: docs, name: name, type: type, number: number, marks: try parseMarks())
  }

  private mutating func parseType() throws(Abandoned) -> TypeSyntax {
    let name = try takeDottedName()
    guard name.value == "list" else {
      return TypeSyntax(name: name, cardinality: accept("?") ? .optional : .one)
    }
    try take("<")
    let element = try takeDottedName()
    guard element.value != "list" else {
      throw fail("a list holds no lists; put a message between them", at: element.position)
    }
    guard peek.kind != .symbol("?") else { throw fail("the elements of a list are never optional; remove the '?'") }
    try take(">")
    guard peek.kind != .symbol("?") else {
      throw fail("a list is never optional, an empty one says the same; remove the '?'")
    }
    return TypeSyntax(name: element, cardinality: .list)
  }

  private mutating func parseService(_ docs: String) throws(Abandoned) -> ServiceSyntax {
    let name = try takeWord("the service's name")
    var declaration = ServiceSyntax(docs: docs, name: name, number: try takeNumber())
    try parseBody { parser throws(Abandoned) in
      declaration.methods.append(try parser.parseMethod())
    }
    return declaration
  }

  private mutating func parseMethod() throws(Abandoned) -> MethodSyntax {
    let docs = takeDocs()
    let keyword = peek
    guard keyword.kind == .word("rpc") else { throw fail("expected 'rpc', found \(keyword.spelling)") }
    index += 1
    let name = try takeWord("the method's name")
    try take("(")
    let request = try parseStreamable()
    try take(")")
    guard peek.kind == .arrow else { throw fail("expected '->' and the response, found \(peek.spelling)") }
    index += 1
    let response = try parseStreamable()
    let number = try takeNumber()
    return MethodSyntax(
      docs: docs, name: name, request: request, response: response, number: number, marks: try parseMarks())
  }

  /// Reads `T` or `stream T`. A package may be called `stream`: then a dot follows.
  private mutating func parseStreamable() throws(Abandoned) -> StreamableSyntax {
    let isStream = peek.kind == .word("stream") && tokens[index + 1].kind != .symbol(".")
    if isStream { index += 1 }
    return StreamableSyntax(message: try takeDottedName(), isStream: isStream)
  }

  private mutating func parseMarks() throws(Abandoned) -> [MarkSyntax] {
    var marks: [MarkSyntax] = []
    while accept("@") {
      let name = try takeWord("the mark's name")
      var arguments: [ArgumentSyntax] = []
      if accept("("), !accept(")") {
        repeat { arguments.append(try parseArgument()) } while accept(",")
        try take(")")
      }
      marks.append(MarkSyntax(name: name, arguments: arguments))
    }
    return marks
  }

  private mutating func parseArgument() throws(Abandoned) -> ArgumentSyntax {
    let position = peek.position
    var label: String?
    if case .word(let word) = peek.kind, tokens[index + 1].kind == .symbol(":") {
      label = word
      index += 2
    }
    let value: ArgumentSyntax.Value
    switch peek.kind {
    case .integer(let integer): value = .integer(integer)
    case .string(let text): value = .text(text)
    case .word(let word): value = .word(word)
    default: throw fail("expected a number, a text or a word, found \(peek.spelling)")
    }
    index += 1
    return ArgumentSyntax(label: label, value: value, position: position)
  }

  /// Reads `{ … }`, going on with the next line after a mistake in a member.
  private mutating func parseBody(_ member: (inout Parser) throws(Abandoned) -> Void) throws(Abandoned) {
    let opening = peek
    try take("{")
    while !accept("}") {
      guard peek.kind != .end else { throw fail("'{' is never closed", at: opening.position) }
      let start = index
      do {
        try member(&self)
      } catch {
        skipMember(from: start)
      }
    }
  }

  // MARK: Tokens

  private var peek: Token { tokens[index] }

  private mutating func accept(_ symbol: Unicode.Scalar) -> Bool {
    guard peek.kind == .symbol(symbol) else { return false }
    index += 1
    return true
  }

  private mutating func take(_ symbol: Unicode.Scalar) throws(Abandoned) {
    guard accept(symbol) else { throw fail("expected '\(symbol)', found \(peek.spelling)") }
  }

  /// Takes a doc comment; none is an empty text.
  private mutating func takeDocs() -> String {
    guard case .docs(let text) = peek.kind else { return "" }
    index += 1
    return text
  }

  private mutating func takeWord(_ what: String) throws(Abandoned) -> Located<String> {
    guard case .word(let word) = peek.kind else { throw fail("expected \(what), found \(peek.spelling)") }
    defer { index += 1 }
    return Located(value: word, position: peek.position)
  }

  private mutating func takeString(_ what: String) throws(Abandoned) -> Located<String> {
    guard case .string(let text) = peek.kind else { throw fail("expected \(what), found \(peek.spelling)") }
    defer { index += 1 }
    return Located(value: text, position: peek.position)
  }

  /// Takes `a.b.c`.
  private mutating func takeDottedName() throws(Abandoned) -> Located<String> {
    let first = try takeWord("a name")
    var name = first.value
    while accept(".") { name += "." + (try takeWord("a name after the '.'").value) }
    return Located(value: name, position: first.position)
  }

  /// Takes `= n`.
  private mutating func takeNumber() throws(Abandoned) -> Located<Int64> {
    guard accept("="), case .integer(let value) = peek.kind else {
      throw fail("expected '=' and a number, found \(peek.spelling)")
    }
    defer { index += 1 }
    return Located(value: value, position: peek.position)
  }

  private mutating func skip(until isEnd: (Token) -> Bool) {
    while peek.kind != .end, !isEnd(peek) { index += 1 }
  }

  /// Goes to the next line that does not go on with marks, or to the end of the body.
  private mutating func skipMember(from start: Int) {
    let hasBegun = index > start && !tokens[index - 1].isDocs
    var line = tokens[hasBegun ? index - 1 : index].position.line
    if !hasBegun, peek.kind != .end, peek.kind != .symbol("}") { index += 1 }
    while peek.kind != .end, peek.kind != .symbol("}") {
      if peek.position.line > line {
        guard peek.kind == .symbol("@") else { return }
        line = peek.position.line
      }
      index += 1
    }
  }

  private mutating func fail(_ message: String, at position: SourcePosition? = nil) -> Abandoned {
    diagnostics.report(message, at: position ?? peek.position)
    return Abandoned()
  }
}

extension Token {
  /// Whether a top-level declaration begins here, so that parsing can go on.
  fileprivate var isDeclarationKeyword: Bool {
    switch kind {
    case .docs: position.column == 1
    case .word("enum"), .word("message"), .word("service"), .word("import"), .word("package"): position.column == 1
    default: false
    }
  }

  fileprivate var isDocs: Bool { if case .docs = kind { true } else { false } }
}
