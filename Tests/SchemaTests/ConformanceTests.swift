import Foundation
import Schema
import TestSupport
import Testing
import Wire

/// The bytes of `Tests/Conformance`, which the client in Python is held to as well.
@Suite("Conformance")
struct ConformanceTests {
  private static var directory: URL { Fixtures.packageDirectory.appending(path: "Tests/Conformance") }

  @Test func `messages with every type of field have the bytes that both codecs give them`() throws {
    let schemas = try Fixtures.everything()
    let text = try String(contentsOf: Self.directory.appending(path: "everything.corpus"), encoding: .utf8)
    for entry in try #require(Corpus(text)).entries {
      let fixture = try fixture(of: entry.message, schemas)
      #expect(try fixture.message(entry.json) == entry.bytes, "\(entry.message), \(entry.name)")
      #expect(try fixture.json(entry.bytes) == entry.json, "\(entry.message), \(entry.name)")
    }
  }

  @Test func `bytes that break a rule of readers are refused`() throws {
    struct Refusals: Decodable {
      struct Refusal: Decodable {
        let name: String
        let message: String
        let hex: String
      }
      let cases: [Refusal]
    }
    let schemas = try Fixtures.everything()
    let data = try Data(contentsOf: Self.directory.appending(path: "refused.json"))
    for refusal in try JSONDecoder().decode(Refusals.self, from: data).cases {
      #expect(try fixture(of: refusal.message, schemas).error(bytes(refusal.hex)) != nil, "\(refusal.name)")
    }
  }

  private func fixture(of message: String, _ schemas: SchemaSet) throws -> JSONFixture {
    let index = try #require(schemas.messages.firstIndex { $0.fullName == message }, "\(message)")
    return JSONFixture(translator: JSONTranslator(schemas), index: index)
  }
}
