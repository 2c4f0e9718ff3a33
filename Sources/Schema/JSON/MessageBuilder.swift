package import Wire

/// Builds the bytes of a request from texts of a path and a query and from a JSON body, collecting all that is wrong.
///
/// The message is encoded in place while it is read. Contents that come in another order than the fields' numbers are
/// put in order at the end of their message.
package struct MessageBuilder: ~Copyable {
  let translator: JSONTranslator
  /// The message so far; contents stand in the order in which they came.
  var output: [UInt8] = []
  /// What is wrong so far.
  private(set) var violations: [FieldViolation] = []
  /// Where in the request we are.
  var path: [PathStep] = []
  /// The lengths of the elements of the lists being read, the innermost last.
  var elementLengths: [UInt32] = []
  var budget: DecodingBudget
  /// The message itself.
  private var root: Frame
  /// The fields of the message that a text of the path or the query has given.
  private(set) var fieldsOfTexts: UInt64 = 0
  /// What the caller calls the fields of the message; nil when that is what the schema calls them.
  let names: FieldNames?
  /// The texts of lists, each with its field, which are put into the message when all of them are there.
  private(set) var textLists: [(field: Int, texts: [String])] = []
  /// Whether the body could not be read to its end, so that nothing is known of what is missing.
  private var isBroken = false

  /// A message being built.
  struct Frame {
    /// Its type, by the index in ``SchemaSet/messages``.
    let message: Int
    /// Where it begins in the output.
    let start: Int
    /// The fields that somebody has said something about.
    var seen: UInt64 = 0
    /// The fields that have a value.
    var present: UInt64 = 0
  }

  /// A step on the way from the request to a value.
  enum PathStep {
    case field(message: Int, index: Int)
    case element(Int)
  }

  init(_ message: Int, _ translator: JSONTranslator, names: FieldNames?, budget: DecodingBudget) {
    self.translator = translator
    self.names = names
    self.budget = budget
    root = Frame(message: message, start: 0)
    output.append(contentsOf: repeatElement(0, count: 8 + translator.messages[message].fixedLength))
    self.budget.depth -= 1
  }

  /// Gives a field, by its name in the schema, the value that a text writes: one of the path, or of the route itself.
  package mutating func set(_ name: String, fromText text: String) {
    set(translator.messages[root.message].fieldIndex(of: name.utf8Span.span, next: 0), name, text)
  }

  /// Gives a field, by the name that the caller has for it, the value that a text of the query writes. A list may be given
  /// element by element.
  package mutating func set(_ name: String, fromQuery text: String) {
    guard let names else { return set(name, fromText: text) }
    set(names.index(of: name, in: .query), name, text)
  }

  private mutating func set(_ index: Int?, _ name: String, _ text: String) {
    guard let index else { return reportUnknown(name, in: root.message, isQuery: true) }
    path.append(.field(message: root.message, index: index))
    defer { path.removeLast() }
    let field = translator.messages[root.message].fields[index]
    if field.cardinality == .list, let place = textLists.firstIndex(where: { $0.field == index }) {
      return textLists[place].texts.append(text)
    }
    guard root.seen & field.bit == 0 else {
      report("is given twice")
      return
    }
    fieldsOfTexts |= field.bit
    root.seen |= field.bit
    if field.cardinality == .list { return textLists.append((index, [text])) }
    var frame = root
    setText(text.utf8Span.span, field, index, &frame)
    root = frame
  }

  /// Gives the fields the values that a JSON object has for them. An empty body is an object without members.
  package mutating func merge(json: [UInt8]) { merge(json: json.span) }

  /// Gives the fields the values that a JSON object has for them. An empty body is an object without members.
  package mutating func merge(json: Span<UInt8>) {
    guard !json.isEmpty else { return }
    // Most messages are smaller than their JSON.
    output.reserveCapacity(min(output.count + json.count, budget.bytes))
    var frame = root
    do throws(JSONSyntaxError) {
      var reader = try JSONReader(json)
      let kind = try reader.nextKind()
      if kind == .object {
        try readMembers(&reader, &frame)
      } else {
        report("expected an object, found \(kind.spelling)")
        try reader.skipValue()
      }
      try reader.readEnd()
    } catch {
      path.removeAll()
      report(error.description(in: json))
      isBroken = true
    }
    root = frame
  }

  /// The message, when nothing was wrong. Throws ``RequestErrors`` with everything that was.
  package consuming func encode() throws(RequestErrors) -> [UInt8] {
    if !isBroken {
      var frame = root
      for (field, texts) in textLists { setList(texts, field, &frame) }
      finish(&frame)
    }
    if !violations.isEmpty { throw RequestErrors(violations: violations) }
    return output
  }

  // MARK: Reporting

  /// Whether as many mistakes have been found as are reported.
  var isFull: Bool { violations.count >= FieldViolation.countMax }

  mutating func report(_ detail: String) { report(detail, at: pointer) }

  mutating func report(_ detail: String, at pointer: String) {
    guard !isFull else { return }
    violations.append(FieldViolation(pointer: pointer, detail: detail))
  }

  mutating func reportUnknown(_ name: String, in message: Int, isQuery: Bool = false) {
    guard !isFull else { return }
    let shown = String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))
    let own = path.isEmpty ? names?.names(in: isQuery ? .query : .body) : nil
    let known = own ?? translator.schemas.messages[message].fields.map(\.name)
    report(
      "there is no field '\(shown)'" + suggestion(for: shown, among: known), at: "\(pointer)/\(jsonPointerToken(shown))"
    )
  }

  /// The JSON pointer (RFC 6901) to where we are.
  private var pointer: String {
    path.enumerated().map { depth, step in
      switch step {
      case .field(_, let index) where depth == 0 && names != nil: "/\(jsonPointerToken(names!.name(of: index)))"
      case .field(let message, let index): "/\(translator.schemas.messages[message].fields[index].name)"
      case .element(let index): "/\(index)"
      }
    }.joined()
  }
}

/// Everything that is wrong with a request.
package struct RequestErrors: Error, Equatable, Sendable {
  /// At least one, at most ``FieldViolation/countMax``.
  package let violations: [FieldViolation]
}

/// A name as a JSON pointer writes it (RFC 6901 section 3), which knows code points and no characters made of several.
private func jsonPointerToken(_ name: String) -> String {
  name.unicodeScalars.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
}
