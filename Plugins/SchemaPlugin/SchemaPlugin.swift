import Foundation
import PackagePlugin

/// Generates a target's Swift from the schemas that its `schemas.txt` names, one on a line.
///
/// They are those of the package, or the target's own where it has a folder `Schemas`. All of the folder are inputs,
/// since schemas may refer to one another: an edit of any of them generates again.
@main
struct SchemaPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let directory = target.directoryURL
    let list = directory.appending(path: "schemas.txt")
    let names = try String(contentsOf: list, encoding: .utf8).split(whereSeparator: \.isWhitespace).map(String.init)
    let own = directory.appending(path: "Schemas")
    let hasOwn = FileManager.default.fileExists(atPath: own.path())
    let schemas = hasOwn ? own : context.package.directoryURL.appending(path: "Schemas")
    let inputs = try FileManager.default.contentsOfDirectory(at: schemas, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "gozon" }
      .sorted { $0.path() < $1.path() }
    let output = context.pluginWorkDirectoryURL
    return [
      .buildCommand(
        displayName: "Generating Swift from \(names.joined(separator: ", ")) for \(target.name)",
        executable: try context.tool(named: "SchemaCompiler").url,
        arguments: ["--schemas", schemas.path(), "--output", output.path()] + names,
        inputFiles: inputs + [list],
        outputFiles: names.map { output.appending(path: "\($0).swift") })
    ]
  }
}
