/// Rows of cells under headings, aligned with spaces.
struct TextTable: Sendable {
  /// Where a column's cells stand.
  enum Alignment: Sendable { case left, right }

  private let headings: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  /// A table of these columns.
  init(_ headings: [(String, Alignment)]) { self.headings = headings.map { (title: $0.0, alignment: $0.1) } }

  /// A table of columns that are all aligned to the left.
  init(_ headings: String...) { self.init(headings.map { ($0, .left) }) }

  /// Adds a row; cells that are missing stay empty. A cell's line breaks become spaces.
  mutating func append(_ cells: String...) { append(cells) }

  /// Adds a row; cells that are missing stay empty. A cell's line breaks become spaces.
  mutating func append(_ cells: [String]) {
    let cells = cells.map { String($0.map { $0.isNewline ? " " : $0 }) }
    rows.append(cells + Array(repeating: "", count: max(0, headings.count - cells.count)))
  }

  /// The lines, without spaces at their ends. Columns without any content are left out.
  var text: String {
    let used = headings.indices.filter { column in rows.contains { !$0[column].isEmpty } || rows.isEmpty }
    let lines = [headings.map(\.title)] + rows
    let widths = used.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      var text = ""
      for (column, width) in zip(used, widths) {
        let padding = String(repeating: " ", count: width - line[column].count)
        text += headings[column].alignment == .left ? line[column] + padding : padding + line[column]
        text += "  "
      }
      while text.last == " " { text.removeLast() }
      return text
    }.joined(separator: "\n")
  }
}
