import Schema

/// The Swift names of what one target's schemas declare: types are named without their package, so they may clash.
struct SwiftNames {
  private let schemas: SchemaSet
  private let files: [Int]

  init(_ schemas: SchemaSet, files: [Int]) {
    self.schemas = schemas
    self.files = files
  }

  /// Throws ``SchemaErrors`` when a name is taken by another declaration, or by what is generated beside it.
  func check() throws {
    var errors: [SchemaError] = []
    var owners: [String: String] = [:]
    func claim(_ name: String, _ owner: String, _ file: Int, _ position: SourcePosition) {
      guard let first = owners.updateValue(owner, forKey: name) else { return }
      errors.append(
        SchemaError(
          file: schemas.files[file].name, position: position,
          message: "\(first) and \(owner) are both '\(name)' in Swift; rename one or put them into different targets"))
    }
    func refuse(_ name: String, _ taken: Set<String>, _ file: Int, _ position: SourcePosition) {
      guard taken.contains(name) else { return }
      errors.append(
        SchemaError(
          file: schemas.files[file].name, position: position,
          message: "the generated Swift uses the name '\(name)' itself; choose another"))
    }
    for file in files { claim(schemas.files[file].schemaName, schemas.files[file].name, file, SourcePosition()) }
    for type in schemas.enums where files.contains(type.file) {
      claim(type.name, type.fullName, type.file, type.position)
      for enumCase in type.cases { refuse(enumCase.swiftName, takenInEnums, type.file, type.position) }
    }
    for type in schemas.messages where files.contains(type.file) {
      claim(type.name, type.fullName, type.file, type.position)
      refuse(type.name, takenTypes, type.file, type.position)
      for field in type.fields { refuse(field.name, takenInMessages, type.file, field.position) }
    }
    for service in schemas.services where files.contains(service.file) {
      for suffix in ["Service", "Client", "Methods"] {
        claim("\(service.name)\(suffix)", service.fullName, service.file, service.position)
      }
    }
    errors += missingImports()
    if !errors.isEmpty { throw SchemaErrors(errors: errors) }
  }

  /// What is imported must be generated into the same target, where the generated code can see it.
  private func missingImports() -> [SchemaError] {
    files.flatMap { file in
      schemas.files[file].imports.compactMap { name in
        if files.contains(where: { schemas.files[$0].name == name }) { return nil }
        return SchemaError(
          file: schemas.files[file].name, position: SourcePosition(),
          message: "it imports \(name), which the target does not generate; add it to the target's schemas.txt")
      }
    }
  }
}

private let takenTypes: Set<String> = [
  "UUID", "Timestamp", "String", "Bool", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Double", "Int",
  "Message", "MessageEnum", "MessageReader", "MessageWriter", "DecodingError", "FieldRules", "FieldViolation",
  "Pattern",
  "Patterns", "SchemaText", "ServiceDefinition", "MethodReference", "CallContext", "CallChannel", "RequestStream",
  "ResponseWriter", "StreamingCall", "CallOptions",
  "Sendable", "Self", "Type", "Any",
]
private let takenInMessages: Set<String> = ["encodedSize", "self", "init"]
private let takenInEnums: Set<String> = [
  "zero", "name", "fullName", "rawValue", "hashValue", "description", "allCases", "slotSize", "self", "init", "load",
]

extension EnumCaseDescriptor {
  /// `INSUFFICIENT_FUNDS` as `insufficientFunds`.
  var swiftName: String {
    let words = name.lowercased().split(separator: "_")
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
  }
}

extension FieldDescriptor {
  /// The name, in backticks where Swift needs them.
  var swiftName: String { name.escaped }
}

extension MethodDescriptor {
  /// `CreateOrder` as `createOrder`.
  var swiftName: String { name.prefix(1).lowercased() + name.dropFirst() }
}

extension String {
  /// The name in backticks when it is a keyword of Swift.
  var escaped: String { keywords.contains(self) ? "`\(self)`" : self }

  /// The text as a literal of Swift.
  var swiftLiteral: String {
    let escaped = unicodeScalars.map { scalar in
      switch scalar {
      case "\"", "\\": "\\\(scalar)"
      default: "\(scalar)"
      }
    }
    return "\"\(escaped.joined())\""
  }
}

private let keywords: Set<String> = [
  "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do", "else",
  "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in", "inout",
  "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public", "repeat", "rethrows",
  "return", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "var",
  "where", "while",
]
