import Foundation
import Testing

/// The command, run as the build runs it.
@Suite("SchemaCompiler")
struct SchemaCompilerTests {
  private static let shared = """
    /// S.
    package t.shared
    /// Thing.
    message Thing {}

    """

  @Test func `help is printed and names the options`() throws {
    let result = try run(["--help"], schemas: [:])
    #expect(result.status == 0 && result.output.contains("--schemas DIR") && result.errors.isEmpty)
  }

  @Test(arguments: [
    ([], "error: --schemas, --output and a NAME are needed"), (["--schemas"], "error: --schemas needs a directory"),
    (["--verbose"], "error: there is no option --verbose"),
    (["--schemas", "/nowhere", "--output", "/tmp", "a"], "error: cannot read /nowhere: No such file or directory"),
  ])
  func `wrong arguments are refused`(arguments: [String], error: String) throws {
    let result = try run(arguments, schemas: [:])
    #expect(result.status == 1 && result.errors.hasPrefix(error))
  }

  @Test func `a mistake in a schema is named with its file in the directory`() throws {
    let result = try run(["t"], schemas: ["t.gozon": "/// T.\npackage t\nmessage A {}\n"])
    #expect(result.status == 1)
    #expect(result.errors.hasSuffix("/t.gozon:3:9: error: there is no doc comment ('///') for this message\n"))
  }

  @Test(arguments: [
    ("/// Thing.\nmessage Thing {}", "4:9: error: t.shared.Thing and t.Thing are both 'Thing' in Swift"),
    ("/// A.\nmessage SharedSchema {}", "4:9: error: shared.gozon and t.SharedSchema are both 'SharedSchema' in Swift"),
    ("/// A.\nmessage UUID {}", "4:9: error: the generated Swift uses the name 'UUID' itself; choose another"),
    (
      "/// A.\nmessage A {\n  /// B.\n  encodedSize: bool = 1\n}",
      "6:3: error: the generated Swift uses the name 'encodedSize' itself; choose another"
    ),
    (
      "/// A.\nenum A {\n  /// B.\n  ZERO = 1\n}",
      "4:6: error: the generated Swift uses the name 'zero' itself; choose another"
    ),
    (
      "/// A.\nmessage AClient {}\n/// A.\nservice A = 1 {}",
      "6:9: error: t.AClient and t.A are both 'AClient' in Swift"
    ),
  ])
  func `names that clash in Swift are refused`(body: String, error: String) throws {
    let result = try run(
      ["shared", "t"], schemas: ["shared.gozon": Self.shared, "t.gozon": "/// T.\npackage t\n\(body)\n"])
    #expect(result.status == 1)
    #expect(result.errors.contains("/t.gozon:\(error)"), "\(result.errors)")
  }

  @Test func `what a schema imports belongs into the same target`() throws {
    let importing = "/// T.\npackage t\nimport \"shared.gozon\"\n"
    let result = try run(["t"], schemas: ["shared.gozon": Self.shared, "t.gozon": importing])
    #expect(result.status == 1)
    #expect(result.errors.contains("add it to the target's schemas.txt"))
    #expect(try run(["t", "shared"], schemas: ["shared.gozon": Self.shared, "t.gozon": importing]).status == 0)
  }

  @Test func `a schema that is not there is named, with the nearest that is`() throws {
    let result = try run(["shard"], schemas: ["shared.gozon": Self.shared])
    #expect(result.errors == "error: there is no schema 'shard.gozon'; did you mean 'shared.gozon'?\n")
  }

  /// Runs the command on schemas in a directory of their own; the names come with the directories prepended.
  private func run(
    _ arguments: [String], schemas: [String: String]
  ) throws -> (status: Int32, output: String, errors: String) {
    let directory = FileManager.default.temporaryDirectory.appending(path: "schemas-\(Foundation.UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    for (name, source) in schemas {
      try source.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
    }
    let process = Process()
    process.executableURL = try executable()
    process.arguments =
      schemas.isEmpty ? arguments : ["--schemas", directory.path(), "--output", directory.path()] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let result = (
      output: String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
      errors: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    )
    process.waitUntilExit()
    return (process.terminationStatus, result.output, result.errors)
  }

  /// The command that the build made for the plugin, beside the tests' own program.
  private func executable() throws -> URL {
    let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let names = ["SchemaCompiler", "SchemaCompiler-tool"]
    return try #require(
      names.map { products.appending(path: $0) }.first { FileManager.default.isExecutableFile(atPath: $0.path()) })
  }
}
