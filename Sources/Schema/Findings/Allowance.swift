/// A comment by which a schema's author allows what a rule would find: `// allow RULE: reason`.
///
/// It stands above a declaration and holds for everything in that declaration; above `package`, for the file.
struct Allowance {
  /// The rule's name.
  let rule: String
  /// Why it is allowed, for the next reader; never empty.
  let reason: String
  /// Where the comment is.
  let place: SourcePlace
  /// The line of the declaration below.
  let line: Int
}

/// The allowances of a set of schema files.
struct Allowances {
  /// In the order of the files and their lines.
  let all: [Allowance]

  init(_ schemas: SchemaSet) { all = schemas.files.flatMap(Allowances.read) }

  /// The allowance of a rule for a declaration, which lies inside of others: given by the places of all of them.
  func first(of rule: String, at declarations: [SourcePlace]) -> Allowance? {
    all.first { allowance in
      allowance.rule == rule
        && declarations.contains { $0.file == allowance.place.file && $0.position.line == allowance.line }
    }
  }

  private static func read(_ file: SchemaFile) -> [Allowance] {
    guard file.source.contains(opening) else { return [] }
    let lines = file.source.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self) }
    return lines.indices.compactMap { index in
      let indentation = lines[index].prefix { $0 == " " || $0 == "\t" }
      let text = lines[index].dropFirst(indentation.count)
      guard text.hasPrefix(opening) else { return nil }
      let parts = text.dropFirst(opening.count).split(separator: ":", maxSplits: 1)
      let reason = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
      let declaration = lines[(index + 1)...].firstIndex { !isCommentOrBlank($0) } ?? index
      return Allowance(
        rule: parts.first.map(String.init) ?? "", reason: reason,
        place: SourcePlace(
          file: file.name, position: SourcePosition(line: index + 1, column: indentation.count + 1)),
        line: declaration + 1)
    }
  }

  private static let opening = "// allow "

  private static func isCommentOrBlank(_ line: String) -> Bool {
    let text = line.drop { $0 == " " || $0 == "\t" }
    return text.isEmpty || text.hasPrefix("//")
  }
}
