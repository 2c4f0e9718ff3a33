/// A piece of a schema file.
struct Token {
  enum Kind: Equatable {
    /// A name or a keyword; which of them, the parser knows.
    case word(String)
    case integer(Int64)
    /// The text between quotes, escapes resolved.
    case string(String)
    /// `{ } ( ) < > : = , . ? @`
    case symbol(Unicode.Scalar)
    case arrow
    /// The lines of a `///` comment, joined.
    case docs(String)
    case end
  }

  let kind: Kind
  let position: SourcePosition

  /// The token as an error names it.
  var spelling: String {
    switch kind {
    case .word(let word): "'\(word)'"
    case .integer(let value): "'\(value)'"
    case .string: "a text"
    case .symbol(let symbol): "'\(symbol)'"
    case .arrow: "'->'"
    case .docs: "a doc comment"
    case .end: "the end of the file"
    }
  }
}

/// Cuts a schema file into tokens.
struct Lexer {
  /// The largest file, in bytes; it may come from a peer, by reflection.
  static let sourceSizeMax = 1 << 20
  /// The longest name.
  static let wordLengthMax = 64

  private let source: [Unicode.Scalar]
  private var index = 0
  private var position = SourcePosition()

  private init(_ source: String) { self.source = Array(source.unicodeScalars) }

  /// All tokens of a file, the last of them ``Token/Kind/end``; nil when the file is too large to be read.
  static func tokens(of source: String, _ diagnostics: inout SchemaDiagnostics) -> [Token]? {
    guard source.utf8.count <= sourceSizeMax else {
      diagnostics.report("the file is larger than \(sourceSizeMax) bytes", at: SourcePosition())
      return nil
    }
    var lexer = Lexer(source)
    var tokens: [Token] = []
    repeat { tokens.append(lexer.next(&diagnostics)) } while tokens[tokens.count - 1].kind != .end
    return tokens
  }

  private var current: Unicode.Scalar? { index < source.count ? source[index] : nil }

  private func isAt(_ text: String) -> Bool { source[index...].starts(with: text.unicodeScalars) }

  private mutating func advance(by count: Int = 1) {
    for _ in 0..<count {
      if source[index] == "\n" {
        position = SourcePosition(line: position.line + 1, column: 1)
      } else {
        position.column += 1
      }
      index += 1
    }
  }

  private mutating func next(_ diagnostics: inout SchemaDiagnostics) -> Token {
    while true {
      skipSpaceAndComments()
      let start = position
      guard let scalar = current else { return Token(kind: .end, position: start) }
      let kind: Token.Kind? =
        switch scalar {
        case "/" where isAt("///"): .docs(readDocs())
        case "a"..."z", "A"..."Z", "_": readWord(&diagnostics)
        case "0"..."9": readInteger(&diagnostics)
        case "-" where isAt("->"): readArrow()
        case "-": readInteger(&diagnostics)
        case "\"": readString(&diagnostics)
        default: readSymbol(&diagnostics)
        }
      if let kind { return Token(kind: kind, position: start) }
    }
  }

  private mutating func skipSpaceAndComments() {
    skipSpace()
    while isAt("//"), !isAt("///") {
      skipLine()
      skipSpace()
    }
  }

  private mutating func skipSpace() {
    while let scalar = current, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" { advance() }
  }

  private mutating func skipLine() {
    while let scalar = current, scalar != "\n" { advance() }
  }

  /// Reads `///` lines that follow one another without a blank line.
  private mutating func readDocs() -> String {
    var lines: [String] = []
    var lastLine = position.line
    while isAt("///"), position.line <= lastLine + 1 {
      lastLine = position.line
      advance(by: 3)
      if current == " " { advance() }
      let start = index
      skipLine()
      var end = index
      while end > start, source[end - 1] == " " || source[end - 1] == "\r" { end -= 1 }
      lines.append(String(String.UnicodeScalarView(source[start..<end])))
      skipSpace()
    }
    return lines.joined(separator: "\n")
  }

  private mutating func readWord(_ diagnostics: inout SchemaDiagnostics) -> Token.Kind {
    let start = (index: index, position: position)
    while let scalar = current, scalar.isWordCharacter { advance() }
    if index - start.index > Lexer.wordLengthMax {
      diagnostics.report("a name has at most \(Lexer.wordLengthMax) characters", at: start.position)
    }
    return .word(String(String.UnicodeScalarView(source[start.index..<index].prefix(Lexer.wordLengthMax))))
  }

  private mutating func readInteger(_ diagnostics: inout SchemaDiagnostics) -> Token.Kind {
    let start = (index: index, position: position)
    advance()
    while let scalar = current, scalar.isWordCharacter { advance() }
    let text = String(String.UnicodeScalarView(source[start.index..<index]))
    if let value = Int64(text) { return .integer(value) }
    diagnostics.report("'\(text.prefix(40))' is not a whole number of 64 bits", at: start.position)
    return .integer(0)
  }

  private mutating func readArrow() -> Token.Kind {
    advance(by: 2)
    return .arrow
  }

  private mutating func readString(_ diagnostics: inout SchemaDiagnostics) -> Token.Kind {
    let start = position
    var text = String.UnicodeScalarView()
    advance()
    while let scalar = current, scalar != "\n" {
      advance()
      if scalar == "\"" { return .string(String(text)) }
      if scalar == "\\" {
        guard let escaped = current, escaped != "\n" else { break }
        // Only the quote and the backslash lose their backslash: a pattern keeps its own escapes.
        if escaped != "\"", escaped != "\\" { text.append(scalar) }
        text.append(escaped)
        advance()
      } else {
        text.append(scalar)
      }
    }
    diagnostics.report("the text has no closing quote on its line", at: start)
    return .string(String(text))
  }

  private mutating func readSymbol(_ diagnostics: inout SchemaDiagnostics) -> Token.Kind? {
    let (scalar, start) = (source[index], position)
    advance()
    if "{}()<>:=,.?@".unicodeScalars.contains(scalar) { return .symbol(scalar) }
    diagnostics.report("the character '\(scalar)' has no meaning here", at: start)
    return nil
  }
}

extension Unicode.Scalar {
  /// Whether the scalar may stand inside a name.
  fileprivate var isWordCharacter: Bool {
    ("a"..."z").contains(self) || ("A"..."Z").contains(self) || ("0"..."9").contains(self) || self == "_"
  }
}
