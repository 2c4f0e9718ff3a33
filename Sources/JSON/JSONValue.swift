/// A JSON value (RFC 8259): small documents, read whole, such as the JetStream API's and key sets.
package enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A whole number that ``integer`` may be too small for, to be written; what is read is never one of these.
  case unsigned(UInt64)
  /// A number with a fraction or an exponent, or outside 64 bits.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// Members in the order of the document.
  case object([Member])

  /// One name and value of an object.
  package struct Member: Equatable, Sendable {
    /// The name; not necessarily unique in what a peer sent.
    package var name: String
    /// The value under that name.
    package var value: JSONValue

    /// A member.
    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The member of that name (the first one), when this is an object that has it.
  package subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The text, when this is a string.
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  /// The number, when this is an integer of 64 bits.
  package var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
  /// The truth value, when this is one.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, when this is an array.
  package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members, when this is an object.
  package var members: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// This object with `members` put over those of the same name. Not an object: `members` alone.
  package func merging(_ members: [Member]) -> JSONValue {
    var merged = self.members ?? []
    for member in members {
      if let place = merged.firstIndex(where: { $0.name == member.name }) {
        merged[place] = member
      } else {
        merged.append(member)
      }
    }
    return .object(merged)
  }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
  package init(dictionaryLiteral members: (String, JSONValue)...) {
    self = .object(members.map { Member($0, $1) })
  }
  package init(stringLiteral text: String) { self = .string(text) }
  package init(integerLiteral number: Int64) { self = .integer(number) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}

extension JSONValue: CustomStringConvertible {
  /// The JSON text, without spaces.
  package var description: String {
    var text = ""
    append(to: &text)
    return text
  }

  /// The JSON text in UTF-8.
  package var encoded: [UInt8] { Array(description.utf8) }

  private func append(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let number): text += "\(number)"
    case .unsigned(let number): text += "\(number)"
    case .number(let number): text += number.isFinite ? "\(number)" : "null"
    case .string(let string): Self.append(quoted: string, to: &text)
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += "," }
        element.append(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.append(quoted: member.name, to: &text)
        text += ":"
        member.value.append(to: &text)
      }
      text += "}"
    }
  }

  private static func append(quoted string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
