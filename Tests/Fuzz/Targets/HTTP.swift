@testable import HTTP

/// Requests of one connection: whole, in pieces and byte by byte they are the same requests and the same refusal.
///
/// The first byte makes the sizes of the pieces.
@Sendable func fuzzHTTP(_ input: [UInt8]) {
  guard let seed = input.first else { return }
  let bytes = Array(input.dropFirst())
  let whole = parse([bytes])
  precondition(parse(bytes.pieces(seed: seed)) == whole, "pieces read otherwise than the whole")
  precondition(parse(bytes.map { [$0] }) == whole, "bytes read otherwise than the whole")
}

/// What a parser made of some bytes.
private enum Parsed: Equatable {
  case request(head: [UInt8], body: [UInt8])
  case refused(HTTPRefusal)
}

/// Small limits, so that short inputs go beyond them.
private let limits: HTTPLimits = {
  var limits = HTTPLimits()
  limits.requestLineBytesMax = 200
  limits.headBytesMax = 500
  limits.fieldsMax = 12
  limits.bodyBytesMax = 300
  return limits
}()

private func parse(_ pieces: [[UInt8]]) -> [Parsed] {
  var parser = RequestParser(limits: limits)
  var parsed: [Parsed] = []
  for piece in pieces {
    var position = 0
    while position < piece.count {
      let before = position
      do throws(HTTPRefusal) {
        let event = try parser.next(piece.span.bytes, &position)
        if case .request(let head, let body) = event { parsed.append(describe(head, body)) }
      } catch {
        return parsed + [.refused(error)]
      }
      precondition(position > before || parser.phase == .body, "the parser stands still")
    }
  }
  return parsed
}

private func describe(_ head: RequestHead, _ body: [UInt8]) -> Parsed {
  precondition(head.fields.text.count <= limits.headBytesMax && body.count <= limits.bodyBytesMax)
  precondition(head.fields.count <= limits.fieldsMax)
  let request = HTTPRequest(head: head, body: body, peer: "")
  var text = Array("\(request.method.rawValue) \(head.isVersion10) \(head.keepsAlive) \(head.framing) ".utf8)
  text += request.path + [0] + (request.query ?? [])
  for index in 0..<request.fields.count {
    let field = request.fields.field(at: index)
    precondition(request.fields[String(field.name)] != nil, "a field is not found by its name")
    text += Array("\n\(field.name): \(field.value)".utf8)
  }
  return .request(head: text, body: body)
}
