/// Lays JSON out for people.
package enum JSONLayout {
  /// The same JSON with a line for each member and element, indented by two blanks a level.
  ///
  /// The JSON must be right, as a translator writes it: nothing is checked.
  package static func indented(_ json: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(json.count * 2)
    var depth = 0
    var isInString = false
    var isEscaped = false
    for (index, character) in json.enumerated() {
      if isInString {
        result.append(character)
        isInString = isEscaped || character != UInt8(ascii: "\"")
        isEscaped = !isEscaped && character == UInt8(ascii: "\\")
        continue
      }
      switch character {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        result.append(character)
        if !isEmpty(json, openedAt: index) { startLine(depth, &result) }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if !isEmpty(json, openedAt: index - 1) { startLine(depth, &result) }
        result.append(character)
      case UInt8(ascii: ","):
        result.append(character)
        startLine(depth, &result)
      case UInt8(ascii: ":"):
        result.append(character)
        result.append(UInt8(ascii: " "))
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): break
      default:
        isInString = character == UInt8(ascii: "\"")
        result.append(character)
      }
    }
    return result
  }

  /// Whether an object or a list that opens here closes at once.
  private static func isEmpty(_ json: [UInt8], openedAt index: Int) -> Bool {
    guard index >= 0, index + 1 < json.count else { return false }
    let pair = (json[index], json[index + 1])
    return pair == (UInt8(ascii: "{"), UInt8(ascii: "}")) || pair == (UInt8(ascii: "["), UInt8(ascii: "]"))
  }

  private static func startLine(_ depth: Int, _ result: inout [UInt8]) {
    result.append(UInt8(ascii: "\n"))
    result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * max(0, depth)))
  }
}
