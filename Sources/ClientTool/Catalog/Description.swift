internal import Schema
internal import Wire

/// A schema's declaration in words, for people.
struct Description {
  let schemas: SchemaSet

  /// Everything about what a name means.
  func text(of entry: Catalog.Entry) -> String {
    switch entry.kind {
    case .service(let service): text(of: service)
    case .method(let service, let method): text(of: method, in: service)
    case .message(let message):
      "\(text(of: message, as: "message"))\n\n  As JSON:\n\(indented(laidOut(example(of: message))))"
    case .enumeration(let type): text(of: type)
    }
  }

  private func text(of service: ServiceDescriptor) -> String {
    var table = TextTable("  METHOD", "REQUEST", "RESPONSE", "HTTP", "DOCS")
    for method in service.methods {
      table.append(
        "  \(service.name).\(method.name)", method.requestName(in: schemas), method.responseName(in: schemas),
        method.routes.map(\.summary).joined(separator: ", "),
        firstLine(method.docs))
    }
    return "service \(service.fullName) (number \(service.number))\n\(indented(service.docs))\n\n\(table.text)"
  }

  private func text(of method: MethodDescriptor, in service: ServiceDescriptor) -> String {
    let (request, response) = (schemas.messages[method.request], schemas.messages[method.response])
    let name = "\(service.name).\(method.name)"
    return """
      method \(method.fullName)
      \(indented(method.docs))

      \(indented(properties(of: method, in: service)))

      \(text(of: request, as: method.requestIsStream ? "each request" : "request"))

      \(text(of: response, as: method.responseIsStream ? "each response" : "response"))

      An example, with every field (gozon describe \(name) --template prints its JSON alone):

      gozon call \(name) '\(String(decoding: example(of: request), as: UTF8.self))'
      """
  }

  private func properties(of method: MethodDescriptor, in service: ServiceDescriptor) -> String {
    let number = "\(service.number).\(method.number)"
    let marks = [method.isIdempotent ? "@idempotent" : nil, method.takesIdempotencyKey ? "@idempotencyKey" : nil]
    var rows = [
      ("shape", "\(method.shape): \(method.requestName(in: schemas)) -> \(method.responseName(in: schemas))"),
      ("number", "\(number), in frames 0x\(hexadecimal(service.number))\(hexadecimal(method.number))"),
      ("marks", marks.compactMap { $0 }.joined(separator: " ")),
      ("access", method.accessText(in: schemas)),
    ]
    rows += method.routes.map { ("HTTP", $0.answer) }
    rows.append(("repeat", repetition(of: method)))
    rows.append(
      ("errors", "a gozon.rpc.StatusCode with gozon.rpc.ErrorDetails; the exit status is 64 and the code's number"))
    return rows.filter { !$0.1.isEmpty }.map { name, value in
      name + String(repeating: " ", count: 8 - name.count) + value
    }.joined(separator: "\n")
  }

  private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  private func text(of message: MessageDescriptor, as role: String) -> String {
    var table = TextTable([("NO", .right), ("FIELD", .left), ("TYPE", .left), ("BOUNDS", .left), ("DOCS", .left)])
    for field in message.fields {
      table.append(
        "\(field.number)", field.name, schemas.spelling(of: field), field.marksText, firstParagraph(field.docs))
    }
    let fields = message.fields.isEmpty ? "  It has no fields." : indented(table.text)
    return "\(role) \(message.fullName)\n\(indented(message.docs))\n\n\(fields)"
  }

  private func text(of type: EnumDescriptor) -> String {
    var table = TextTable([("NO", .right), ("CASE", .left), ("DOCS", .left)])
    for value in type.cases { table.append("\(value.number)", value.name, firstParagraph(value.docs)) }
    return "enum \(type.fullName)\n\(indented(type.docs))\n\n\(indented(table.text))"
  }

  /// An example as JSON.
  func example(of message: MessageDescriptor) -> [UInt8] {
    let index = schemas.messages.firstIndex { $0.fullName == message.fullName } ?? 0
    return JSONTemplate.example(of: index, in: schemas)
  }

  private func laidOut(_ json: [UInt8]) -> String {
    String(decoding: JSONLayout.indented(json), as: UTF8.self)
  }

  private func repetition(of method: MethodDescriptor) -> String {
    if method.isIdempotent { return "harmless" }
    return method.takesIdempotencyKey ? "harmless with --idempotency-key" : "may do it twice"
  }

  private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }
      .joined(separator: "\n")
  }

  private func firstLine(_ docs: String) -> String { docs.split(separator: "\n").first.map(String.init) ?? "" }

  private func firstParagraph(_ docs: String) -> String {
    docs.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }.joined(separator: " ")
  }
}

extension FieldDescriptor {
  /// Such as `1 to 1000` or `[A-Z]{3}`.
  var marksText: String {
    let range = marks.range.map { "\($0.lowerBound) to \($0.upperBound)" }
    let length = marks.length.map { "length \($0.lowerBound) to \($0.upperBound)" }
    return [range, length, marks.pattern?.text, isCursor ? "cursor" : nil].compactMap { $0 }.joined(separator: ", ")
  }
}
