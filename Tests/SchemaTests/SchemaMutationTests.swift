import Schema
import Testing

/// Schemas that were damaged on the way: each is read or refused with places inside the text, and never crashed on.
@Suite("Damaged schemas")
struct SchemaMutationTests {
  private static let alphabet = Array("{}()<>:=,.?@\"-/ \n\r\u{0}a1é_".unicodeScalars)

  private let original: SchemaSet

  init() throws { original = try Fixtures.everything() }

  @Test func `every truncation of a schema is answered`() {
    let source = Array(original.files[0].source.unicodeScalars)
    for length in stride(from: 0, to: source.count, by: 7) {
      expectAnswer(Array(source[..<length]), "cut at \(length)")
    }
  }

  @Test(arguments: 1...120 as ClosedRange<UInt64>)
  func `a schema with something else in it, something missing or something twice is answered`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var source = Array(original.files[0].source.unicodeScalars)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let start = Int.random(in: 0..<source.count, using: &random)
      let end = min(source.count, start + Int.random(in: 1...60, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: source[start] = Self.alphabet.randomElement(using: &random)!
      case 1: source.insert(Self.alphabet.randomElement(using: &random)!, at: start)
      case 2: source.removeSubrange(start..<end)
      case 3: source.insert(contentsOf: source[start..<end], at: Int.random(in: 0...source.count, using: &random))
      default: source.swapAt(start, end - 1)
      }
    }
    expectAnswer(source, "seed \(seed)")
  }

  /// What is read survives what the tool does with it; what is refused is refused at places that exist.
  private func expectAnswer(_ scalars: [Unicode.Scalar], _ comment: String) {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars)
    let source = String(view)
    do {
      let schemas = try SchemaSet.parse([("everything.gozon", source), ("shared.gozon", original.files[1].source)])
      _ = Linter.findings(in: schemas)
      _ = SchemaComparison.findings(from: original, to: schemas)
      _ = SchemaComparison.findings(from: schemas, to: original)
    } catch {
      let lines = source.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(\.count)
      #expect((1...SchemaErrors.countMax).contains(error.errors.count), "\(comment)")
      for error in error.errors where error.file == "everything.gozon" {
        let (line, column) = (error.position.line, error.position.column)
        #expect((1...lines.count).contains(line), "\(comment): \(error)")
        #expect((1...lines[line - 1] + 1).contains(column) && !error.message.isEmpty, "\(comment): \(error)")
      }
    }
  }
}
