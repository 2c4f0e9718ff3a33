import Schema
import Wire

extension SwiftGenerator {
  func write(_ message: MessageDescriptor, to writer: inout SwiftWriter) {
    writer.docs(message.docs)
    writer.block("package struct \(message.name): Message") { writer in
      for field in message.fields {
        writer.docs(field.docs)
        writer.line("package var \(field.swiftName): \(swiftType(of: field))")
      }
      if !message.fields.isEmpty { writer.line() }
      writeInitializers(of: message, to: &writer)
      writer.docs("The name in the schema, with the package.")
      writer.line("package static var fullName: String { \"\(message.fullName)\" }")
      writer.line()
      writeSize(of: message, to: &writer)
      writeEncoder(of: message, to: &writer)
      writeDecoder(of: message, to: &writer)
      if hasMarks(message) { writeValidator(of: message, to: &writer) }
    }
  }

  private func writeInitializers(of message: MessageDescriptor, to writer: inout SwiftWriter) {
    writer.docs("The message whose fields are all absent.")
    if message.fields.isEmpty {
      writer.line("package init() {}")
    } else {
      writer.block("package init()") { writer in
        for field in message.fields { writer.line("\(field.swiftName) = \(zero(of: field))") }
      }
      writer.docs("The message with these fields.")
      writer.line("package init(")
      let parameters = message.fields.map { "  \($0.swiftName): \(swiftType(of: $0)) = \(zero(of: $0))" }
      writer.line(parameters.joined(separator: ",\n\(writer.indentation)"))
      writer.block(")") { writer in
        for field in message.fields { writer.line("self.\(field.swiftName) = \(field.swiftName)") }
      }
    }
  }

  private func writeSize(of message: MessageDescriptor, to writer: inout SwiftWriter) {
    var terms = ["\(8 + message.fixedLength)"]
    for field in message.fields {
      switch field.cardinality {
      case .list: terms.append("MessageWriter.size(ofList: \(field.swiftName))")
      case .one where field.type.fixedSize == nil: terms.append("\(field.swiftName).encodedSize")
      case .optional where field.type.fixedSize == nil: terms.append("(\(field.swiftName)?.encodedSize ?? 0)")
      default: break
      }
    }
    writer.docs("The size in bytes.")
    writer.block("package var encodedSize: Int") { writer in
      writer.line(terms.joined(separator: "\n\(writer.indentation)  + "))
    }
  }

  private func writeEncoder(of message: MessageDescriptor, to writer: inout SwiftWriter) {
    writer.docs("Writes the message at the writer's position.")
    writer.block("package func encode(into writer: inout MessageWriter)") { writer in
      guard !message.fields.isEmpty else {
        writer.line("writer.message(fixedLength: \(message.fixedLength)) { _ in }")
        return
      }
      writer.block("writer.message(fixedLength: \(message.fixedLength))", opening: " { writer in") { writer in
        for field in message.fields {
          let function = field.cardinality == .list ? "list" : "value"
          writer.line("writer.\(function)(\(field.swiftName), \(field.number), at: \(field.slot))")
        }
      }
    }
  }

  private func writeDecoder(of message: MessageDescriptor, to writer: inout SwiftWriter) {
    writer.docs("Reads a message. Throws for bytes that are not one, naming the field and the byte.")
    writer.block("package init(from reader: inout MessageReader) throws(DecodingError)") { writer in
      for field in message.fields {
        let function =
          switch field.cardinality {
          case .one: "value"
          case .optional: "optionalValue"
          case .list: "list"
          }
        writer.line(
          "\(field.swiftName) = try reader.\(function)(\(field.number), at: \(field.slot), \"\(field.name)\")")
      }
    }
  }

  // MARK: Marks

  private func writeValidator(of message: MessageDescriptor, to writer: inout SwiftWriter) {
    writer.docs("Appends what breaks the schema's marks, under the pointer.")
    writer.block("package func validate(at pointer: String, into violations: inout [FieldViolation])") { writer in
      for field in message.fields {
        let end = "at: pointer, \"\(field.name)\", &violations)"
        if let range = field.marks.range {
          let bounds = "\(range.lowerBound)...\(range.upperBound)"
          writer.line("FieldRules.range(\(field.swiftName), \(bounds), \(end)")
        }
        if let length = field.marks.length {
          let label = field.cardinality == .list ? "ofList: " : ""
          let bounds = "\(length.lowerBound)...\(length.upperBound)"
          writer.line("FieldRules.length(\(label)\(field.swiftName), \(bounds), \(end)")
        }
        if field.marks.pattern != nil {
          writer.line("FieldRules.pattern(\(field.swiftName), Patterns.\(field.swiftName), \(end)")
        }
        writeNestedValidation(of: field, to: &writer)
      }
    }
    let patterns = message.fields.filter { $0.marks.pattern != nil }
    guard !patterns.isEmpty else { return }
    writer.line()
    writer.block("private enum Patterns") { writer in
      for field in patterns {
        let text = field.marks.pattern?.text ?? ""
        writer.line("static let \(field.swiftName) = Pattern(checked: \(text.swiftLiteral))")
      }
    }
  }

  private func writeNestedValidation(of field: FieldDescriptor, to writer: inout SwiftWriter) {
    guard case .message(let index) = field.type, hasMarks(schemas.messages[index]) else { return }
    let name = field.swiftName
    switch field.cardinality {
    case .one: writer.line("\(name).validate(at: \"\\(pointer)/\(field.name)\", into: &violations)")
    case .optional: writer.line("\(name)?.validate(at: \"\\(pointer)/\(field.name)\", into: &violations)")
    case .list:
      writer.block("for (index, element) in \(name).enumerated()") { writer in
        writer.line("element.validate(at: \"\\(pointer)/\(field.name)/\\(index)\", into: &violations)")
      }
    }
  }

  /// Whether the message or anything in it has marks.
  private func hasMarks(_ message: MessageDescriptor) -> Bool {
    var seen: Set<String> = []
    var waiting = [message]
    while let next = waiting.popLast() {
      guard seen.insert(next.fullName).inserted else { continue }
      if next.fields.contains(where: { !$0.marks.isEmpty }) { return true }
      for field in next.fields {
        if case .message(let index) = field.type { waiting.append(schemas.messages[index]) }
      }
    }
    return false
  }

  // MARK: Types

  private func swiftType(of field: FieldDescriptor) -> String {
    let type =
      switch field.type {
      case .bool: "Bool"
      case .int32: "Int32"
      case .int64: "Int64"
      case .uint32: "UInt32"
      case .uint64: "UInt64"
      case .float64: "Double"
      case .string: "String"
      case .bytes: "[UInt8]"
      case .uuid: "UUID"
      case .timestamp: "Timestamp"
      case .enumeration(let index): schemas.enums[index].name
      case .message(let index): schemas.messages[index].name
      }
    return switch field.cardinality {
    case .one: type
    case .optional: "\(type)?"
    case .list: "[\(type)]"
    }
  }

  private func zero(of field: FieldDescriptor) -> String {
    switch (field.cardinality, field.type) {
    case (.optional, _): "nil"
    case (.list, _), (.one, .bytes): "[]"
    case (.one, .bool): "false"
    case (.one, .string): "\"\""
    case (.one, .message(let index)): "\(schemas.messages[index].name)()"
    case (.one, .uuid), (.one, .timestamp): ".zero"
    case (.one, .enumeration(let index)): ".\(schemas.enums[index].cases[0].swiftName)"
    case (.one, _): "0"
    }
  }
}
