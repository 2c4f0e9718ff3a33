/// Schema files that have been read and checked together, with everything they declare.
///
/// The compiler makes one from the files under `Schemas`; the gateway and the client tool make one at run time from
/// what a server's reflection answers, so the text may come from a peer and everything about it is bounded.
package struct SchemaSet: Sendable {
  /// The files in the order given.
  package let files: [SchemaFile]
  /// All enums, file by file.
  package let enums: [EnumDescriptor]
  /// All messages, file by file.
  package let messages: [MessageDescriptor]
  /// All services, file by file.
  package let services: [ServiceDescriptor]

  /// The largest file, in bytes.
  package static let sourceSizeMax = Lexer.sourceSizeMax
  /// The most files of a set.
  package static let filesMax = 64

  /// Reads and checks files that may refer to one another. Throws everything that is wrong with them at once.
  package static func parse(_ sources: [(name: String, source: String)]) throws(SchemaErrors) -> SchemaSet {
    var checker = Checker(sources.prefix(filesMax))
    return try checker.check(count: sources.count)
  }

  /// The message of this full name.
  package func message(named fullName: String) -> MessageDescriptor? { messages.first { $0.fullName == fullName } }

  /// The service of this full name.
  package func service(named fullName: String) -> ServiceDescriptor? { services.first { $0.fullName == fullName } }

  /// A field's type as the schema language writes it, enums and messages with their packages.
  package func spelling(of field: FieldDescriptor) -> String { spelling(of: field.type, field.cardinality) }

  /// A type as the schema language writes it, enums and messages with their packages.
  package func spelling(of type: FieldType, _ cardinality: Cardinality) -> String {
    let type =
      switch type {
      case .enumeration(let index): enums[index].fullName
      case .message(let index): messages[index].fullName
      default: FieldType.builtIn.first { $0.value == type }?.key ?? ""
      }
    return switch cardinality {
    case .one: type
    case .optional: "\(type)?"
    case .list: "list<\(type)>"
    }
  }
}
