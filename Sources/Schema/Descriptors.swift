package import Wire

/// The type of a field, or of the elements of its list.
package enum FieldType: Hashable, Sendable, BitwiseCopyable {
  case bool, int32, int64, uint32, uint64, float64, string, bytes, uuid, timestamp
  /// An enum, by its index in ``SchemaSet/enums``.
  case enumeration(Int)
  /// A message, by its index in ``SchemaSet/messages``.
  case message(Int)

  /// The types that the language has of itself, by their names.
  package static let builtIn: [String: FieldType] = [
    "bool": .bool, "int32": .int32, "int64": .int64, "uint32": .uint32, "uint64": .uint64, "float64": .float64,
    "string": .string, "bytes": .bytes, "uuid": .uuid, "timestamp": .timestamp,
  ]

  /// The size in bytes of a value in a slot or in a list; nil when it has content elsewhere.
  package var fixedSize: Int? {
    switch self {
    case .bool: 1
    case .enumeration: 2
    case .int32, .uint32: 4
    case .int64, .uint64, .float64, .timestamp: 8
    case .uuid: 16
    case .string, .bytes, .message: nil
    }
  }
}

/// How many values a field has.
package enum Cardinality: Hashable, Sendable, BitwiseCopyable {
  /// Always one.
  case one
  /// One or none: `T?`.
  case optional
  /// Any number: `list<T>`.
  case list
}

/// The marks of a field that bound its value.
package struct FieldMarks: Sendable {
  /// `@range(least, most)` of a number.
  package var range: ClosedRange<Int64>?
  /// `@length(least, most)` in characters of text, bytes, or elements of a list.
  package var length: ClosedRange<Int>?
  /// `@pattern("…")` of a text.
  package var pattern: Pattern?

  /// Whether the field is bounded at all.
  package var isEmpty: Bool { range == nil && length == nil && pattern == nil }
}

/// One field of a message.
package struct FieldDescriptor: Sendable {
  /// In lowerCamelCase, as in JSON.
  package let name: String
  /// From 1.
  package let number: Int
  /// The type of the value, or of the elements.
  package let type: FieldType
  /// Whether one, at most one, or any number.
  package let cardinality: Cardinality
  /// Where the slot is, in bytes from the start of the message.
  package let slot: Int
  /// What bounds the value.
  package let marks: FieldMarks
  /// Whether it says where in a stream of responses its message stands, or from where a request goes on: `@cursor`.
  package let isCursor: Bool
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition

  /// The size of the slot in bytes.
  package var slotSize: Int { FieldDescriptor.slotSize(type, cardinality) }

  static func slotSize(_ type: FieldType, _ cardinality: Cardinality) -> Int {
    cardinality == .list ? 8 : type.fixedSize ?? 8
  }
}

/// The place that a removed field keeps: `reserved TYPE = n`.
package struct ReservedDescriptor: Sendable {
  /// The number of the removed field.
  package let number: Int
  /// The type of its value, or of the elements.
  package let type: FieldType
  /// Whether it was one, at most one, or any number.
  package let cardinality: Cardinality
  /// Where the number is given.
  package let position: SourcePosition

  /// The size of the slot in bytes.
  package var slotSize: Int { FieldDescriptor.slotSize(type, cardinality) }
}

/// A message type.
package struct MessageDescriptor: Sendable {
  /// The name without the package.
  package let name: String
  /// The name with the package, such as `gozon.orders.Order`.
  package let fullName: String
  /// Its fields in the order of their numbers.
  package let fields: [FieldDescriptor]
  /// The places of removed fields, in the order of their numbers.
  package let reserved: [ReservedDescriptor]
  /// The size of the fixed block in bytes, with the slots of removed fields.
  package let fixedLength: Int
  /// The index of its file in ``SchemaSet/files``.
  package let file: Int
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition

  /// The field of this name.
  package func field(named name: String) -> FieldDescriptor? { fields.first { $0.name == name } }
  /// The field that says where in a stream of responses the message stands, or from where a request goes on.
  package var cursor: FieldDescriptor? { fields.first(where: \.isCursor) }
}

/// One case of an enum.
package struct EnumCaseDescriptor: Sendable {
  /// In UPPER_SNAKE_CASE, as in JSON.
  package let name: String
  /// What goes over the wire.
  package let number: UInt16
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition
}

/// An enum type.
package struct EnumDescriptor: Sendable {
  /// The name without the package.
  package let name: String
  /// The name with the package, such as `gozon.orders.OrderStatus`.
  package let fullName: String
  /// Its cases as declared; the first is the value of an absent field.
  package let cases: [EnumCaseDescriptor]
  /// The index of its file in ``SchemaSet/files``.
  package let file: Int
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition

  /// The case of this name.
  package func enumCase(named name: String) -> EnumCaseDescriptor? { cases.first { $0.name == name } }
  /// The case of this number.
  package func enumCase(numbered number: UInt16) -> EnumCaseDescriptor? { cases.first { $0.number == number } }
}

/// One method of a service.
package struct MethodDescriptor: Sendable {
  /// In UpperCamelCase.
  package let name: String
  /// The service's full name and the method's, such as `gozon.orders.Orders/CreateOrder`.
  package let fullName: String
  /// From 1, within its service.
  package let number: UInt8
  /// What the frames carry: the service's number in the high byte, the method's in the low one.
  package let id: UInt16
  /// The request, by its index in ``SchemaSet/messages``.
  package let request: Int
  /// The response, by its index in ``SchemaSet/messages``.
  package let response: Int
  /// Whether the client sends any number of requests: `(stream T)`.
  package let requestIsStream: Bool
  /// Whether the server sends any number of responses: `-> stream T`.
  package let responseIsStream: Bool
  /// The routes by which HTTP reaches it.
  package let routes: [HTTPBinding]
  /// Whether a repeat does no harm, so that a client may retry: `@idempotent`.
  package let isIdempotent: Bool
  /// Whether the caller's idempotency key makes a repeat harmless: `@idempotencyKey`.
  package let takesIdempotencyKey: Bool
  /// Who may call it: `@access`; nil when nothing is said, and then only operators may.
  package let access: AccessRule?
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition

  /// Whether there is one request and one response.
  package var isUnary: Bool { !requestIsStream && !responseIsStream }
}

/// A service.
package struct ServiceDescriptor: Sendable {
  /// The name without the package.
  package let name: String
  /// The name with the package, such as `gozon.orders.Orders`.
  package let fullName: String
  /// What the frames carry.
  package let number: UInt8
  /// Its methods as declared.
  package let methods: [MethodDescriptor]
  /// The index of its file in ``SchemaSet/files``.
  package let file: Int
  /// The text of its `///` lines.
  package let docs: String
  /// Where it is declared.
  package let position: SourcePosition
}

/// One schema file.
package struct SchemaFile: Sendable {
  /// Its name, such as `orders.gozon`.
  package let name: String
  /// Its text.
  package let source: String
  /// The package of its names, such as `gozon.orders`.
  package let package: String
  /// Where the package is named.
  package let packagePosition: SourcePosition
  /// The names of the files it imports.
  package let imports: [String]
  /// Where it imports each of them.
  package let importPositions: [SourcePosition]
  /// The text of its first `///` lines.
  package let docs: String
}
