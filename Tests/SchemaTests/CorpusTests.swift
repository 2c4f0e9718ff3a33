import Foundation
import Schema
import Testing
import Wire

@Suite("Corpus")
struct CorpusTests {
  private func corpus() throws -> Corpus { try Corpus(of: 0, in: try Fixtures.everything()) }

  @Test func `a message has an entry for each case that differs`() throws {
    let entries = try corpus().entries
    func names(_ message: String) -> [String] { entries.filter { $0.message == "gozon.test.\(message)" }.map(\.name) }
    #expect(names("Everything") == ["minimal", "full", "without-optionals", "least", "greatest"])
    #expect(names("Nothing") == ["minimal"])
  }

  @Test func `values go to the bounds of their types and marks`() throws {
    let entries = try corpus().entries
    let greatest = try #require(entries.first { $0.name == "greatest" })
    for text in [
      #""small":100,"#, #""big":9223372036854775807,"#, #""bigUnsigned":18446744073709551615"#, #""ratio":1.0"#,
      #""time":"9999-12-31T23:59:59.999999Z""#, #""blob":"/////w==""#, #""maybeName":"AAA""#,
    ] {
      #expect(greatest.json.contains(text), "\(text)")
    }
    let least = try #require(entries.first { $0.name == "least" })
    #expect(
      least.json.contains(#""small":-100,"big":-9223372036854775808,"#) && least.json.contains(#""maybeSmall":1,"#))
  }

  @Test func `a bound that is far away makes no large corpus`() throws {
    let source = "/// T.\npackage t\n/// A.\nmessage A {\n  /// F.\n  f: bytes = 1 @length(0, 1000000)\n}\n"
    let entries = try Corpus(of: 0, in: SchemaSet.parse([("t.gozon", source)])).entries
    #expect(entries.map(\.name) == ["minimal", "full", "greatest"] && entries[2].bytes.count == 8 + 8 + 1024)
  }

  @Test func `the same schemas give the same corpus, and its text says everything`() throws {
    let corpus = try corpus()
    #expect(try self.corpus() == corpus)
    #expect(Corpus(corpus.text(comment: "A comment.")) == corpus)
  }

  @Test(arguments: ["a.B, full\n{}", "a.B\n{}\n00", "a.B, full\n{}\n0", "a.B, full\n{}\nxx"])
  func `a text that is no corpus is none`(text: String) {
    #expect(Corpus(text) == nil)
  }

  @Test func `a field whose marks no example keeps is named`() throws {
    let source = "/// T.\npackage t\n/// A.\nmessage A {\n  /// F.\n  f: string = 1 @pattern(\"ab\") @length(5, 6)\n}\n"
    let schemas = try SchemaSet.parse([("t.gozon", source)])
    let error = #expect(throws: RequestErrors.self) { try Corpus(of: 0, in: schemas) }
    #expect(error?.violations.map(\.pointer) == ["/f"])
  }
}
