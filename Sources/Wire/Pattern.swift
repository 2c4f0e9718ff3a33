/// A small language of regular expressions that a text matches as a whole, in time proportional to its length.
///
/// A pattern is a sequence of characters and classes such as `[A-Z0-9_-]`, each of them once or followed by `?`, `+`,
/// `*`, `{n}` or `{n,m}`. A backslash takes the next character as it is. There are no groups, so there is nothing that
/// could run away. Characters are ASCII; repetitions written out, a pattern has at most 63 of them.
public struct Pattern: Sendable {
  /// The pattern as it was written.
  public let text: String
  /// For each ASCII character the positions that accept it, one bit each.
  private var accepting = [UInt64](repeating: 0, count: 128)
  /// The positions that may be left out.
  private var optional: UInt64 = 0
  /// The positions that may repeat.
  private var repeating: UInt64 = 0
  private var count = 0

  /// The most positions: one bit of a word stays for the end.
  static let countMax = 63

  /// Reads a pattern. Throws ``PatternError``.
  public init(_ text: String) throws(PatternError) {
    self.text = text
    var reader = PatternReader(characters: Array(text.utf8))
    while !reader.isAtEnd {
      let characters = try reader.readClass()
      let (least, most) = try reader.readQuantifier()
      let positions = max(most ?? max(least, 1), 1)
      guard count + positions <= Pattern.countMax else {
        throw PatternError("longer than \(Pattern.countMax) characters; bound the length with @length instead")
      }
      for index in 0..<positions {
        let bit: UInt64 = 1 << UInt64(count)
        for character in characters { accepting[Int(character)] |= bit }
        if index >= least { optional |= bit }
        if most == nil, index == positions - 1 { repeating |= bit }
        count += 1
      }
    }
  }

  /// A pattern from generated code, where the schema's checker has read it already.
  public init(checked text: StaticString) {
    do { try self.init(text.description) } catch { preconditionFailure("pattern \(text): \(error)") }
  }

  /// Whether the whole text matches.
  public func matches(_ text: String) -> Bool { matches(text.utf8Span.span) }

  /// Whether the whole text, in UTF-8, matches.
  public func matches(_ text: Span<UInt8>) -> Bool {
    // Bit n is set when the text so far may have brought us to position n.
    var reached = skippingOptional(1)
    for index in text.indices {
      let character = text[index]
      guard character < 128 else { return false }
      let accepted = reached & accepting[Int(character)]
      guard accepted != 0 else { return false }
      reached = skippingOptional(accepted << 1 | accepted & repeating)
    }
    return reached & (1 << UInt64(count)) != 0
  }

  /// The shortest text that matches, of the first characters that each place accepts.
  public var example: String {
    let places = (0..<count).filter { optional & 1 << UInt64($0) == 0 }
    let characters = places.map { place in accepting.firstIndex { $0 & 1 << UInt64(place) != 0 } ?? 0 }
    return String(decoding: characters.map { UInt8($0) }, as: UTF8.self)
  }

  /// The same as a regular expression of ECMA-262, which JSON Schema wants, with anchors at both ends.
  public var regularExpression: String {
    var (expression, isEscaped, isInClass) = ("^", false, false)
    for character in text {
      if isEscaped {
        // Here the next character is meant as it is; there `\d` would be any digit.
        let isSyntax = "\\^$.|?*+()[]{}/".contains(character) || isInClass && character == "-"
        expression += isSyntax ? "\\\(character)" : "\(character)"
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        // A class of ECMA-262 may be negated, and the newest ones hold classes.
        expression += isInClass && "^[".contains(character) ? "\\\(character)" : "\(character)"
        if character == "[" { isInClass = true } else if character == "]" { isInClass = false }
      }
    }
    return expression + "$"
  }

  /// The most characters of a text that matches; nil when it may be of any length.
  public var lengthMax: Int? { repeating == 0 ? count : nil }

  /// The positions reached, with those behind positions that may be left out.
  private func skippingOptional(_ positions: UInt64) -> UInt64 {
    var reached = positions
    var fresh = positions & optional
    while fresh != 0 {
      reached |= fresh << 1
      fresh = (fresh << 1) & optional
    }
    return reached
  }
}

/// What is wrong with a pattern, in words that follow "the pattern is".
public struct PatternError: Error, CustomStringConvertible {
  /// The words.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Reads a pattern's text piece by piece.
private struct PatternReader {
  let characters: [UInt8]
  var index = 0

  var isAtEnd: Bool { index == characters.count }

  /// Reads one character or one class: the characters it accepts.
  mutating func readClass() throws(PatternError) -> [UInt8] {
    switch characters[index] {
    case UInt8(ascii: "["):
      index += 1
      return try readMembers()
    case UInt8(ascii: "?"), UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "{"):
      throw PatternError("wrong at character \(index + 1): there is nothing to repeat")
    case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "|"), UInt8(ascii: "."), UInt8(ascii: "^"),
      UInt8(ascii: "$"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      throw PatternError(
        "wrong at character \(index + 1): groups, alternatives, '.' and anchors are not supported; put a backslash before"
          + " a character that is meant as it is")
    default:
      return [try readCharacter()]
    }
  }

  /// Reads the rest of a class, behind its `[`.
  private mutating func readMembers() throws(PatternError) -> [UInt8] {
    var members: [UInt8] = []
    while index < characters.count, characters[index] != UInt8(ascii: "]") {
      let first = try readCharacter()
      let isRange =
        index + 1 < characters.count && characters[index] == UInt8(ascii: "-")
        && characters[index + 1] != UInt8(ascii: "]")
      guard isRange else {
        members.append(first)
        continue
      }
      index += 1
      let last = try readCharacter()
      guard first <= last else { throw PatternError("wrong at character \(index): a range goes upwards") }
      members.append(contentsOf: first...last)
    }
    guard index < characters.count, !members.isEmpty else {
      throw PatternError("wrong at character \(index): a class such as [A-Z] needs members and a ']'")
    }
    index += 1
    return members
  }

  /// Reads one character, behind a backslash or not.
  private mutating func readCharacter() throws(PatternError) -> UInt8 {
    if characters[index] == UInt8(ascii: "\\") { index += 1 }
    guard index < characters.count, characters[index] < 128 else {
      throw PatternError("wrong at character \(index + 1): an ASCII character belongs there")
    }
    index += 1
    return characters[index - 1]
  }

  /// Reads how often: once when nothing is said; nil means without end.
  mutating func readQuantifier() throws(PatternError) -> (least: Int, most: Int?) {
    guard !isAtEnd else { return (1, 1) }
    switch characters[index] {
    case UInt8(ascii: "?"):
      index += 1
      return (0, 1)
    case UInt8(ascii: "+"):
      index += 1
      return (1, nil)
    case UInt8(ascii: "*"):
      index += 1
      return (0, nil)
    case UInt8(ascii: "{"):
      index += 1
      return try readBounds()
    default:
      return (1, 1)
    }
  }

  /// Reads the rest of `{n}` or `{n,m}`.
  private mutating func readBounds() throws(PatternError) -> (least: Int, most: Int?) {
    let least = try readNumber()
    var most = least
    if !isAtEnd, characters[index] == UInt8(ascii: ",") {
      index += 1
      most = try readNumber()
    }
    guard !isAtEnd, characters[index] == UInt8(ascii: "}"), least <= most, most > 0 else {
      throw PatternError("wrong at character \(index + 1): repeat with {n} or {n,m}, n not above m")
    }
    index += 1
    return (least, most)
  }

  private mutating func readNumber() throws(PatternError) -> Int {
    var number = 0
    let start = index
    while !isAtEnd, characters[index] &- UInt8(ascii: "0") < 10, number <= Pattern.countMax {
      number = number * 10 + Int(characters[index] - UInt8(ascii: "0"))
      index += 1
    }
    guard index > start else { throw PatternError("wrong at character \(index + 1): a number belongs there") }
    return number
  }
}
