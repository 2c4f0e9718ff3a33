import Schema
import Wire

/// JSON as the body of a request: what is read says the same when it is written and read again.
///
/// The first byte chooses the message. Its highest bit: the second byte chooses a field, and the rest is the text that
/// a path or a query gives it.
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
  let fields = FuzzSchemas.all.messages[message].fields
  guard !fields.isEmpty, let choice = input.first else { return }
  var builder = FuzzSchemas.translator.builder(of: message)
  builder.set(fields[Int(choice) % fields.count].name, fromText: String(decoding: input.dropFirst(), as: UTF8.self))
  builder.set(String(decoding: input.prefix(20), as: UTF8.self), fromText: "")
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
