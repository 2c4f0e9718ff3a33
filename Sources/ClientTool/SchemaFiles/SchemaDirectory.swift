internal import RPC
internal import Schema

/// A directory of schema files, with the releases of earlier ones beside them in `released/NAME`.
struct SchemaDirectory: Equatable, Sendable {
  /// Where it is, without a slash at the end.
  let path: String

  init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// Where this project keeps its schemas.
  static let usual = "Schemas"

  /// The operand that names a directory.
  static let operand = CommandSyntax.Operand(
    name: "DIR", isOptional: true, completion: .file, help: "Where the .gozon files are; \(usual) if left out.")

  /// The schemas. Throws ``SchemaErrors`` with the paths of the files.
  func schemas() throws -> SchemaSet {
    let names = try WholeFile.names(in: path).filter { $0.hasSuffix(".gozon") }
    guard !names.isEmpty else {
      throw RPCError(.invalidArgument, "there is no .gozon file in \(path); name the directory of the schemas")
    }
    let sources = try names.map { ($0, try WholeFile.text(of: "\(path)/\($0)", sizeMax: SchemaSet.sourceSizeMax)) }
    do {
      return try SchemaSet.parse(sources)
    } catch {
      throw error.inDirectory(path)
    }
  }

  /// The schemas; nil when they are wrong, which has then been said.
  func schemas(_ terminal: Terminal) throws -> SchemaSet? {
    do {
      return try schemas()
    } catch let errors as SchemaErrors {
      terminal.note("the schemas are wrong:\n\(errors)")
      return nil
    }
  }

  /// A place in one of the files, as editors find it.
  func path(of place: SourcePlace) -> String { "\(path)/\(place)" }

  // MARK: Releases

  /// The names of the releases, the oldest first.
  func releases() throws -> [String] {
    guard WholeFile.isDirectory("\(path)/released") else { return [] }
    return try WholeFile.names(in: "\(path)/released")
      .filter { WholeFile.isDirectory(release($0).path) }
      .sorted { Self.parts($0).lexicographicallyPrecedes(Self.parts($1), by: Self.isEarlier) }
  }

  /// Where a release is.
  func release(_ name: String) -> SchemaDirectory { SchemaDirectory("\(path)/released/\(name)") }

  private static func parts(_ name: String) -> [Substring] { name.split { $0 == "." || $0 == "-" } }

  /// Numbers are compared as numbers: 0.9 is before 0.10.
  private static func isEarlier(_ left: Substring, _ right: Substring) -> Bool {
    guard let left = Int(left), let right = Int(right) else { return left < right }
    return left < right
  }
}
