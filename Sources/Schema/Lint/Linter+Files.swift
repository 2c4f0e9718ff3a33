extension Linter {
  mutating func checkFiles() {
    for index in schemas.files.indices {
      let file = schemas.files[index]
      checkDocs(file.docs, of: nil, in: index, at: file.packagePosition)
      let expected = "\(file.package.split(separator: ".").last ?? "").gozon"
      if file.name != expected {
        report(
          .fileName, "package \(file.package) is looked for in \(expected); call the file so", in: index,
          at: file.packagePosition)
      }
      let used = filesUsed(by: index)
      for (name, position) in zip(file.imports, file.importPositions) where !used.contains(name) {
        report(
          .unusedImport,
          "nothing of '\(name)' is used here, and a change of it would seem to matter; remove the import",
          in: index, at: position)
      }
    }
  }

  private func filesUsed(by file: Int) -> Set<String> {
    var used: Set<Int> = []
    for field in schemas.messages.filter({ $0.file == file }).flatMap(\.fields) {
      switch field.type {
      case .message(let index): used.insert(schemas.messages[index].file)
      case .enumeration(let index): used.insert(schemas.enums[index].file)
      default: break
      }
    }
    for method in schemas.services.filter({ $0.file == file }).flatMap(\.methods) {
      used.formUnion([method.request, method.response].map { schemas.messages[$0].file })
    }
    return Set(used.map { schemas.files[$0].name })
  }

  // MARK: Docs

  /// A doc comment is a sentence that says what the name does not.
  ///
  /// - Parameter name: The name of what it documents; nil when that is a file.
  mutating func checkDocs(
    _ docs: String, of name: String?, in file: Int, at position: SourcePosition, within outer: SourcePosition? = nil
  ) {
    let outer = outer ?? position
    if docs.first?.isLowercase == true || !".!?:".contains(docs.last ?? " ") {
      report(
        .docsSentence, "a doc comment is read as text: begin it with a capital and end it with a full stop", in: file,
        at: position, outer)
    }
    guard let name else { return }
    let known = Set(words(ofName: name) + ["a", "an", "the", "of", "s"])
    let said = docs.split { !$0.isLetter && !$0.isNumber }.map { $0.lowercased() }
    if said.allSatisfy(known.contains) {
      report(
        .docsRepeatName,
        "the doc comment says no more than the name '\(name)'; say what it is for, its unit or its limits",
        in: file, at: position, outer)
    }
  }

  /// The words of a name in lower case: `orderId` and `ORDER_ID` are "order" and "id".
  private func words(ofName name: String) -> [String] {
    var words: [String] = [""]
    var last: Character = "_"
    for character in name {
      if character == "_" || (character.isUppercase && !last.isUppercase) { words.append("") }
      if character != "_" { words[words.count - 1] += character.lowercased() }
      last = character
    }
    return words
  }

  // MARK: Names

  /// `userID` becomes other words in each language that writes names its own way; `userId` does not.
  mutating func checkAcronyms(
    _ name: String, in file: Int, at position: SourcePosition, within outer: SourcePosition? = nil
  ) {
    let letters = Array(name)
    let run = letters.indices.dropFirst().contains { index in
      let isLast = index + 1 == letters.count
      return letters[index].isUppercase && letters[index - 1].isUppercase && (isLast || !letters[index + 1].isLowercase)
    }
    guard run else { return }
    report(
      .acronym,
      "languages cut '\(name)' into different words; write acronyms as words, such as 'userId' or 'HttpRoute'",
      in: file, at: position, outer ?? position)
  }
}
