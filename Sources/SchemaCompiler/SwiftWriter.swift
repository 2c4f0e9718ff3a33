/// Collects the lines of a Swift file, indented by the blocks they are in.
struct SwiftWriter {
  private(set) var text = ""
  private(set) var indentation = ""
  /// Whether a block has just ended: an empty line parts it from what follows, if anything does.
  private var isBehindBlock = false

  /// Adds a line; without text an empty one.
  mutating func line(_ line: String = "") {
    if isBehindBlock, !line.hasPrefix("}"), !line.isEmpty { text += "\n" }
    isBehindBlock = false
    text += line.isEmpty ? "\n" : "\(indentation)\(line)\n"
  }

  /// Adds text as it is.
  mutating func raw(_ raw: String) { text += raw }

  /// Adds doc lines.
  mutating func docs(_ docs: String) {
    for text in docs.split(separator: "\n", omittingEmptySubsequences: false) {
      line(text.isEmpty ? "///" : "/// \(text)")
    }
  }

  /// Adds a block in braces.
  mutating func block(_ head: String, opening: String = " {", _ body: (inout SwiftWriter) -> Void) {
    line(head + opening)
    indentation += "  "
    body(&self)
    indentation.removeLast(2)
    isBehindBlock = false
    line("}")
    isBehindBlock = true
  }
}
