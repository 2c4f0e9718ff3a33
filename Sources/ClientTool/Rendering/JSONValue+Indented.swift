internal import JetStream

extension JSONValue {
  /// The value as text for people: a line for each member and element, indented by two spaces a level.
  var indented: String { indented(level: 0) }

  private func indented(level: Int) -> String {
    let margin = "\n" + String(repeating: "  ", count: level)
    switch self {
    case .object(let members) where !members.isEmpty:
      let lines = members.map { "\(margin)  \(JSONValue.string($0.name)): \($0.value.indented(level: level + 1))" }
      return "{\(lines.joined(separator: ","))\(margin)}"
    case .array(let elements) where !elements.isEmpty:
      let lines = elements.map { "\(margin)  \($0.indented(level: level + 1))" }
      return "[\(lines.joined(separator: ","))\(margin)]"
    default: return description
    }
  }
}
