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

  init(_ message: Int, _ translator: JSONTranslator, budget: DecodingBudget) {
    self.translator = translator
    self.budget = budget
    root = Frame(message: message, start: 0)
    output.append(contentsOf: repeatElement(0, count: 8 + translator.messages[message].fixedLength))
    self.budget.depth -= 1
  }

  /// Gives a field the value that a text of the path or the query writes.
  package mutating func set(_ name: String, fromText text: String) {
    let plan = translator.messages[root.message]
    guard let index = plan.fieldIndex(of: name.utf8Span.span, next: 0) else {
      reportUnknown(name, in: root.message)
      return
    }
    path.append(.field(message: root.message, index: index))
    defer { path.removeLast() }
    let field = plan.fields[index]
    guard root.seen & field.bit == 0 else {
      report("is given twice")
      return
    }
    fieldsOfTexts |= field.bit
    var frame = root
    frame.seen |= field.bit
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

  mutating func reportUnknown(_ name: String, in message: Int) {
    guard !isFull else { return }
    let shown = String(String.UnicodeScalarView(name.unicodeScalars.prefix(64)))
    let known = translator.schemas.messages[message].fields.map(\.name)
    report(
      "there is no field '\(shown)'" + suggestion(for: shown, among: known), at: "\(pointer)/\(jsonPointerToken(shown))"
    )
  }

  /// The JSON pointer (RFC 6901) to where we are.
  private var pointer: String {
    path.map { step in
      switch step {
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
