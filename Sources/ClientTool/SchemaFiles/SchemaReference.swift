internal import JetStream
internal import JSON
internal import Schema

/// Everything that a set of schemas declares, to read.
struct SchemaReference {
  let schemas: SchemaSet

  // MARK: Markdown

  /// A document in Markdown: a section for each file, its services first.
  var markdown: String {
    let contents = schemas.files.map { "- [\($0.package)](#\(anchor($0.package))): \(line($0.docs))" }
    let sections = schemas.files.indices.map(section)
    return "# Services and messages\n\n\(contents.joined(separator: "\n"))\n\n\(sections.joined(separator: "\n\n"))"
  }

  private func section(_ file: Int) -> String {
    let parts =
      ["## \(schemas.files[file].package)", schemas.files[file].docs]
      + schemas.services.filter { $0.file == file }.map(text)
      + schemas.messages.filter { $0.file == file }.map(text)
      + schemas.enums.filter { $0.file == file }.map(text)
    return parts.joined(separator: "\n\n")
  }

  private func text(of service: ServiceDescriptor) -> String {
    let methods = service.methods.map { text(of: $0, in: service) }
    return (["### Service \(service.name)", "Number \(service.number). \(service.docs)"] + methods)
      .joined(separator: "\n\n")
  }

  private func text(of method: MethodDescriptor, in service: ServiceDescriptor) -> String {
    let request = (method.requestIsStream ? "a stream of " : "") + link(.message(method.request))
    let response = (method.responseIsStream ? "a stream of " : "") + link(.message(method.response))
    let example = String(decoding: JSONTemplate.example(of: method.request, in: schemas), as: UTF8.self)
    let routes = method.routes.map { "- HTTP: `\($0.answer)`" }
    return """
      #### \(service.name).\(method.name)

      \(method.docs)

      - number: \(service.number).\(method.number)
      - takes: \(request)
      - returns: \(response)
      - repeat: \(method.repetition)
      \((routes + ["- example: `gozon call \(service.name).\(method.name) '\(example)'`"]).joined(separator: "\n"))
      """
  }

  private func text(of message: MessageDescriptor) -> String {
    guard !message.fields.isEmpty else { return "### \(message.name)\n\n\(message.docs)\n\nIt has no fields." }
    let rows = message.fields.map { field in
      "| \(field.number) | `\(field.name)` | \(type(of: field)) | \(bounds(of: field)) | \(line(field.docs)) |"
    }
    return """
      ### \(message.name)

      \(message.docs)

      | no | field | type | bounds | meaning |
      |---|---|---|---|---|
      \(rows.joined(separator: "\n"))
      """
  }

  private func text(of type: EnumDescriptor) -> String {
    let rows = type.cases.map { "| \($0.number) | `\($0.name)` | \(line($0.docs)) |" }
    return """
      ### \(type.name)

      \(type.docs)

      | no | case | meaning |
      |---|---|---|
      \(rows.joined(separator: "\n"))
      """
  }

  private func type(of field: FieldDescriptor) -> String {
    switch field.cardinality {
    case .one: link(field.type)
    case .optional: "\(link(field.type)), may be absent"
    case .list: "list of \(link(field.type))"
    }
  }

  private func bounds(of field: FieldDescriptor) -> String {
    field.marksText.isEmpty ? "" : "`\(cell(field.marksText))`"
  }

  /// A type's name; that of a declared type leads to its section.
  private func link(_ type: FieldType) -> String {
    switch type {
    case .message(let index): "[\(schemas.messages[index].name)](#\(anchor(schemas.messages[index].name)))"
    case .enumeration(let index): "[\(schemas.enums[index].name)](#\(anchor(schemas.enums[index].name)))"
    default: "`\(schemas.spelling(of: type, .one))`"
    }
  }

  /// The name under which a heading is found, as forges write it: in lower case, without dots.
  private func anchor(_ heading: String) -> String { heading.lowercased().filter { $0 != "." } }

  /// A text on one line, for a cell of a table.
  private func line(_ docs: String) -> String {
    cell(docs.split(separator: "\n", omittingEmptySubsequences: true).joined(separator: " "))
  }

  private func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

  // MARK: JSON

  /// A document for each service, message and enum.
  var json: [JSONValue] {
    let description = Description(schemas: schemas)
    let services = schemas.services.map { (Catalog.Entry.Kind.service($0), $0.fullName) }
    let messages = schemas.messages.map { (Catalog.Entry.Kind.message($0), $0.fullName) }
    let enums = schemas.enums.map { (Catalog.Entry.Kind.enumeration($0), $0.fullName) }
    return (services + messages + enums).map { kind, name in
      description.json(of: Catalog.Entry(kind: kind, schemas: schemas, fullName: name))
    }
  }
}

extension HTTPBinding {
  /// A route and its answer, such as `POST /v1/orders -> 201, Location: /v1/orders/{id}`.
  var answer: String {
    let headers = (location.map { ", Location: \($0)" } ?? "") + (hasETag ? ", ETag" : "")
    return "\(summary) -> \(status)\(headers)"
  }
}

extension MethodDescriptor {
  /// What a repeat of a call does.
  fileprivate var repetition: String {
    if isIdempotent { return "harmless" }
    if requestIsStream { return "not possible: a stream is sent once" }
    return takesIdempotencyKey ? "harmless with the same idempotency key" : "may do it twice"
  }
}
