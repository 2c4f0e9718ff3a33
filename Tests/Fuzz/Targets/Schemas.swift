import API
import RPC
import Schema

/// The schemas that messages of the fuzzer have: the house's, and the one that uses everything the language has.
enum FuzzSchemas {
  /// All of them.
  static let all = parse(house + tests)

  /// The one that uses everything, with what it imports.
  static let everything = parse(tests)

  private static let house = [
    OrdersSchema.file, PaymentsSchema.file, EventsSchema.file, ProbeSchema.file, RpcSchema.file,
  ]
  private static let tests = [EverythingSchema.file, SharedSchema.file]

  /// The translator of all of them.
  static let translator = JSONTranslator(all)

  private static func parse(_ files: [SchemaText]) -> SchemaSet {
    do {
      return try SchemaSet.parse(files.map { ($0.name, $0.source) })
    } catch {
      preconditionFailure("the schemas of the build have faults: \(error)")
    }
  }
}
