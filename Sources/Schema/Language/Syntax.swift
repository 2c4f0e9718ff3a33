// A schema file as it is written, before names are looked up and rules are checked.

/// Something with its place in the file.
struct Located<Value> {
  let value: Value
  let position: SourcePosition
}

extension Located: Equatable where Value: Equatable {}

struct FileSyntax {
  var docs = ""
  var package: Located<String>?
  var imports: [Located<String>] = []
  var enums: [EnumSyntax] = []
  var messages: [MessageSyntax] = []
  var services: [ServiceSyntax] = []
}

struct EnumSyntax {
  let docs: String
  let name: Located<String>
  var cases: [EnumCaseSyntax] = []
}

struct EnumCaseSyntax {
  let docs: String
  let name: Located<String>
  let number: Located<Int64>
}

struct MessageSyntax {
  let docs: String
  let name: Located<String>
  var members: [MemberSyntax] = []
}

/// A field, or the place that a removed field keeps.
struct MemberSyntax {
  let docs: String
  /// Nil for `reserved`.
  let name: Located<String>?
  let type: TypeSyntax
  let number: Located<Int64>
  let marks: [MarkSyntax]
}

struct TypeSyntax {
  let name: Located<String>
  let cardinality: Cardinality
}

struct MarkSyntax {
  let name: Located<String>
  let arguments: [ArgumentSyntax]
}

struct ArgumentSyntax {
  enum Value: Equatable {
    case integer(Int64)
    case text(String)
    case word(String)
  }

  let label: String?
  let value: Value
  let position: SourcePosition
}

struct ServiceSyntax {
  let docs: String
  let name: Located<String>
  let number: Located<Int64>
  var methods: [MethodSyntax] = []
}

/// What a method takes or returns: one message, or a stream of them.
struct StreamableSyntax {
  let message: Located<String>
  let isStream: Bool
}

struct MethodSyntax {
  let docs: String
  let name: Located<String>
  let request: StreamableSyntax
  let response: StreamableSyntax
  let number: Located<Int64>
  let marks: [MarkSyntax]
}
