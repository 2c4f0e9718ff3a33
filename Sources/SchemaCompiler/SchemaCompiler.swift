import Glibc
import Schema

/// The command that turns schemas into Swift; the build runs it through `SchemaPlugin`.
@main
enum SchemaCompiler {
  static func main() {
    do {
      let arguments = Array(CommandLine.arguments.dropFirst())
      if arguments.contains("--help") {
        print(CompilerArguments.help)
      } else {
        try compile(try CompilerArguments(arguments))
      }
    } catch {
      // One line a mistake, as an editor or a build log expects it: file:line:column: error: message.
      let message = Array("\(error)\n".utf8)
      _ = write(STDERR_FILENO, message, message.count)
      exit(1)
    }
  }

  /// Reads every schema of the directory, so that names are looked up in all of them, and writes those asked for.
  static func compile(_ arguments: CompilerArguments) throws {
    var sources: [(name: String, source: String)] = []
    for name in try TextFile.names(in: arguments.schemas) where name.hasSuffix(".gozon") {
      let path = "\(arguments.schemas)/\(name)"
      sources.append((name, try TextFile.read(path, sizeMax: SchemaSet.sourceSizeMax)))
    }
    do {
      let schemas = try SchemaSet.parse(sources)
      for file in try SwiftGenerator(schemas, files: arguments.names.map { "\($0).gozon" }).generate() {
        try TextFile.write(file.text, to: "\(arguments.output)/\(file.name)")
      }
    } catch let errors as SchemaErrors {
      throw errors.inDirectory(arguments.schemas)
    }
  }
}

/// What the command was told to do.
struct CompilerArguments {
  /// The directory of the schemas.
  var schemas = ""
  /// The directory for what is generated; it must exist.
  var output = ""
  /// The schemas to generate code for, without `.gozon`.
  var names: [String] = []

  static let help = """
    Usage: SchemaCompiler --schemas DIR --output DIR NAME...

    Generates DIR/NAME.swift from the schema NAME.gozon, for each NAME. All schemas of the
    directory are read and checked, since they may refer to one another.

      --schemas DIR   where the .gozon files are
      --output DIR    where the Swift files go; must exist
      --help          print this
    """

  init(_ arguments: [String]) throws(CompilerError) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--schemas", "--output":
        guard let directory = rest.popFirst() else { throw CompilerError("\(argument) needs a directory") }
        if argument == "--schemas" { schemas = directory } else { output = directory }
      case _ where argument.hasPrefix("-"):
        throw CompilerError("there is no option \(argument)\n\(CompilerArguments.help)")
      default: names.append(argument)
      }
    }
    guard !schemas.isEmpty, !output.isEmpty, !names.isEmpty else {
      throw CompilerError("--schemas, --output and a NAME are needed\n\(CompilerArguments.help)")
    }
  }
}

/// Why the command cannot do its work, apart from mistakes in the schemas.
struct CompilerError: Error, CustomStringConvertible {
  let description: String

  init(_ message: String) { description = "error: \(message)" }
}
