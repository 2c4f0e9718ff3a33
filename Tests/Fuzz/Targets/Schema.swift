import JSON
import Schema

/// Schema files: what is read survives what the tools do with it; what is refused is refused at places that exist.
///
/// A zero byte parts the first file from a second one.
@Sendable func fuzzSchema(_ input: [UInt8]) {
  let texts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    .map { String(decoding: $0, as: UTF8.self) }
  let sources = zip(["one.gozon", "two.gozon"], texts).map { (name: $0, source: $1) }
  do {
    let schemas = try SchemaSet.parse(sources)
    use(schemas)
  } catch {
    precondition((1...SchemaErrors.countMax).contains(error.errors.count))
    let files = Dictionary(uniqueKeysWithValues: sources.map { ($0.name, lineLengths($0.source)) })
    for error in error.errors { expectPlace(of: error, in: files) }
  }
}

private func use(_ schemas: SchemaSet) {
  _ = Linter.findings(in: schemas)
  precondition(SchemaComparison.findings(from: schemas, to: schemas).isEmpty, "a schema differs from itself")
  _ = SchemaComparison.findings(from: FuzzSchemas.everything, to: schemas)
  _ = SchemaComparison.findings(from: schemas, to: FuzzSchemas.everything)
  _ = OpenAPIDocument(APIOperation.all(in: schemas), .init(codes: [])).json.encoded
  let translator = JSONTranslator(schemas)
  for index in schemas.messages.indices.prefix(20) {
    var builder = translator.builder(of: index)
    builder.merge(json: JSONTemplate.example(of: index, in: schemas))
    // A mark may forbid the example; what it allows can be written.
    guard let bytes = try? builder.encode() else { continue }
    guard (try? translator.json(bytes, of: index)) != nil else { preconditionFailure("an example cannot be written") }
  }
}

/// The lengths of a file's lines, in Unicode scalars.
private func lineLengths(_ source: String) -> [Int] {
  source.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(\.count)
}

private func expectPlace(of error: SchemaError, in files: [String: [Int]]) {
  guard let lines = files[error.file] else { preconditionFailure("a fault in no file: \(error)") }
  let (line, column) = (error.position.line, error.position.column)
  precondition(!error.message.isEmpty && (1...lines.count).contains(line), "a fault at no place: \(error)")
  precondition((1...lines[line - 1] + 1).contains(column), "a fault at no place: \(error)")
}
