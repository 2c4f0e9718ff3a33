import Foundation
import Schema
import Testing

/// What the house promised with its releases in `Schemas/released`.
@Suite("Releases")
struct ReleaseTests {
  static let names: [String] = (try? Fixtures.releases()) ?? []

  @Test func `there is a release, and the present schemas have no faults`() throws {
    #expect(!Self.names.isEmpty)
    #expect(Linter.findings(in: try Fixtures.house()) == [])
  }

  @Test(arguments: names) func `the present schemas break no release`(name: String) throws {
    let findings = SchemaComparison.findings(from: try Fixtures.release(name), to: try Fixtures.house())
    #expect(findings.filter(\.isBreach) == [])
  }

  @Test(arguments: names) func `a release encodes the messages of its corpus as it did`(name: String) throws {
    let released = try Fixtures.release(name)
    let translator = JSONTranslator(released)
    for entry in try released.files.flatMap({ try Fixtures.corpus($0.name, of: name).entries }) {
      let message = try #require(released.messages.firstIndex { $0.fullName == entry.message }, "\(entry.message)")
      var builder = translator.builder(of: message)
      builder.merge(json: Array(entry.json.utf8))
      #expect(try builder.encode() == entry.bytes, "\(entry.message), \(entry.name)")
      #expect(String(decoding: try translator.json(entry.bytes, of: message), as: UTF8.self) == entry.json)
    }
  }

  /// Fields that have been appended since may be there too: absent, they read as zero.
  @Test(arguments: names) func `the present schemas read the messages of every release`(name: String) throws {
    let (released, present) = (try Fixtures.release(name), try Fixtures.house())
    let translator = JSONTranslator(present)
    for entry in try released.files.flatMap({ try Fixtures.corpus($0.name, of: name).entries }) {
      let message = try #require(present.messages.firstIndex { $0.fullName == entry.message }, "\(entry.message)")
      let json = try translator.json(entry.bytes, of: message)
      let (was, now) = (try object(Data(entry.json.utf8)), try object(Data(json)))
      #expect(contains(now, was), "\(entry.message), \(entry.name)")
    }
  }

  private func object(_ json: Data) throws -> NSObject {
    try #require(try JSONSerialization.jsonObject(with: json) as? NSObject)
  }

  private func contains(_ now: Any, _ was: Any) -> Bool {
    switch (now, was) {
    case (let now as [String: Any], let was as [String: Any]):
      was.allSatisfy { name, value in now[name].map { contains($0, value) } ?? false }
    case (let now as [Any], let was as [Any]): now.count == was.count && zip(now, was).allSatisfy(contains)
    default: "\(now)" == "\(was)"
    }
  }
}

extension Fixtures {
  /// The names in `Schemas/released`.
  static func releases() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: released.path()).filter { !$0.hasPrefix(".") }.sorted()
  }

  /// The schemas of a release.
  static func release(_ name: String) throws -> SchemaSet { try schemas(in: released.appending(path: name)) }

  /// The messages of a file, as a release encodes them.
  static func corpus(_ file: String, of release: String) throws -> Corpus {
    let path = released.appending(path: release).appending(path: file.replacing(".gozon", with: ".corpus"))
    return try #require(Corpus(try String(contentsOf: path, encoding: .utf8)), "\(path.path())")
  }

  private static var released: URL { packageDirectory.appending(path: "Schemas/released") }
}
