import Wire

/// Messages as a release encodes them, for later releases to decode: a file of text for each schema file.
///
/// The text is blocks apart by blank lines. A block is a line `MESSAGE, CASE`, a line of JSON, and lines of bytes in
/// hexadecimal; lines that begin with `#` say nothing.
package struct Corpus: Equatable, Sendable {
  /// The messages in the order of the schema file, each in the order of ``CorpusCase``.
  package let entries: [CorpusEntry]

  /// The corpus of a file, by its index in ``SchemaSet/files``. Cases that come to the same bytes are there once.
  ///
  /// Throws ``RequestErrors`` when no example can be made that keeps a field's marks.
  package init(of file: Int, in schemas: SchemaSet) throws {
    let translator = JSONTranslator(schemas)
    var entries: [CorpusEntry] = []
    for index in schemas.messages.indices where schemas.messages[index].file == file {
      var seen: Set<[UInt8]> = []
      for values in CorpusCase.allCases {
        var example = CorpusValues(schemas, values)
        example.append(index)
        var builder = translator.builder(of: index)
        builder.merge(json: example.json)
        let bytes = try builder.encode()
        guard seen.insert(bytes).inserted else { continue }
        entries.append(
          CorpusEntry(
            message: schemas.messages[index].fullName, name: values.rawValue,
            json: String(decoding: try translator.json(bytes, of: index), as: UTF8.self), bytes: bytes))
      }
    }
    self.entries = entries
  }

  /// The text of the file.
  package func text(comment: String) -> String {
    entries.reduce("# \(comment)\n") { text, entry in
      "\(text)\n\(entry.message), \(entry.name)\n\(entry.json)\n\(hexadecimal(entry.bytes))\n"
    }
  }

  /// Reads the text of a file; nil when a block is not as it should be.
  package init?(_ text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("#") }
    var entries: [CorpusEntry] = []
    for block in lines.split(whereSeparator: \.isEmpty).map(Array.init) {
      let title = block[0].split(separator: ", ")
      let digits = block.dropFirst(2).joined().filter { $0 != " " }
      guard title.count == 2, block.count > 2, let bytes = [UInt8](hexadecimal: digits) else { return nil }
      entries.append(
        CorpusEntry(message: String(title[0]), name: String(title[1]), json: String(block[1]), bytes: bytes))
    }
    self.entries = entries
  }
}

/// Lines of 32 bytes, a blank behind every eight.
private func hexadecimal(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  var text = ""
  for (index, byte) in bytes.enumerated() {
    if index > 0, index % 32 == 0 { text += "\n" } else if index > 0, index % 8 == 0 { text += " " }
    text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
  }
  return text
}

extension [UInt8] {
  fileprivate init?(hexadecimal digits: String) {
    let values = digits.map(\.hexDigitValue)
    guard values.count.isMultiple(of: 2), !values.contains(nil) else { return nil }
    self = stride(from: 0, to: values.count, by: 2).map { UInt8((values[$0] ?? 0) << 4 | (values[$0 + 1] ?? 0)) }
  }
}
