import Schema
import Wire

/// JSON as the body of a request: what is read says the same when it is written and read again.
///
/// The first byte chooses the message. Its highest bit: the rest is what a path and a query give, parted by zero bytes; the
/// first byte of each part chooses a field, and what follows is its text.
@Sendable func fuzzJSON(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let message = Int(first & 0x7F) % FuzzSchemas.all.messages.count
  if first < 0x80 {
    checkBody(Array(input.dropFirst()), message)
  } else {
    checkText(Array(input.dropFirst()), message)
  }
}

private func checkBody(_ json: [UInt8], _ message: Int) {
  guard let bytes = encode(json, message) else { return }
  guard let written = try? FuzzSchemas.translator.json(bytes, of: message) else {
    preconditionFailure("what was built cannot be written")
  }
  precondition(encode(written, message) == bytes, "what was written reads otherwise")
  precondition(encode(JSONLayout.indented(json), message) == bytes, "indented it reads otherwise")
}

private func checkText(_ input: [UInt8], _ message: Int) {
  let type = FuzzSchemas.all.messages[message]
  guard let first = type.fields.first, !input.isEmpty else { return }
  let texts = input.split(separator: 0).map { part in
    (type.fields[Int(part.first!) % type.fields.count].name, String(decoding: part.dropFirst(), as: UTF8.self))
  }
  var builder = FuzzSchemas.translator.builder(of: message)
  for (name, text) in texts { builder.set(name, fromText: text) }
  do {
    let bytes = try builder.encode()
    guard let written = try? FuzzSchemas.translator.json(bytes, of: message) else {
      preconditionFailure("what texts have built cannot be written")
    }
    precondition(encode(written, message) == bytes, "what texts have built reads otherwise as JSON")
  } catch {
    expectReasons(error)
  }
  checkRoute(texts, String(decoding: input.prefix(20), as: UTF8.self), message, constant: first.name)
}

/// The same by a route that calls every field otherwise, in the query and in the body.
private func checkRoute(_ texts: [(String, String)], _ unknown: String, _ message: Int, constant: String) {
  let type = FuzzSchemas.all.messages[message]
  let sources = type.fields.enumerated().map { index, field in
    let name = "\(field.name)/~\(index)"
    return FieldSource(
      field: field.name,
      place: field.name == constant ? .constant("1") : index % 2 == 0 ? .query(name) : .body(name))
  }
  let binding = HTTPBinding(method: .post, path: PathTemplate("/a")!, sources: sources)
  var builder = FuzzSchemas.translator.builder(of: message, names: FieldNames(binding, request: type))
  builder.set(constant, fromText: "1")
  for (index, (name, text)) in texts.enumerated() { builder.set("\(name)/~\(index)", fromQuery: text) }
  builder.set(unknown, fromQuery: "")
  builder.merge(json: texts.first.map { Array($0.1.utf8) } ?? [])
  do { _ = try builder.encode() } catch { expectReasons(error) }
}

/// The message that the JSON is; nil when it is refused.
func encode(_ json: [UInt8], _ message: Int) -> [UInt8]? {
  var builder = FuzzSchemas.translator.builder(of: message)
  builder.merge(json: json)
  do {
    return try builder.encode()
  } catch {
    expectReasons(error)
    return nil
  }
}

/// A refusal says why and where, and no more often than is allowed.
private func expectReasons(_ errors: RequestErrors) {
  precondition((1...FieldViolation.countMax).contains(errors.violations.count), "refused without a reason")
  for violation in errors.violations {
    let pointer = Array(violation.pointer.utf8)
    precondition(!violation.detail.isEmpty, "a reason without words")
    precondition(pointer.isEmpty || pointer[0] == UInt8(ascii: "/"), "no JSON pointer: \(violation.pointer)")
    for (index, byte) in pointer.enumerated() where byte == UInt8(ascii: "~") {
      let next = index + 1 < pointer.count ? pointer[index + 1] : 0
      precondition("01".utf8.contains(next), "no JSON pointer: \(violation.pointer)")
    }
  }
}
