@testable import HTTP

/// What a parser made of some bytes.
enum Parsed: Equatable, CustomStringConvertible {
  case request(String, body: String)
  case refused(Int)

  var description: String {
    switch self {
    case .request(let text, let body): "request(\(text)|\(body))"
    case .refused(let status): "refused(\(status))"
    }
  }
}

/// Feeds `pieces` to a parser, one read after the other.
func parse(_ pieces: [[UInt8]], limits: HTTPLimits = HTTPLimits()) -> [Parsed] {
  var parser = RequestParser(limits: limits)
  var parsed: [Parsed] = []
  for piece in pieces {
    var position = 0
    while position < piece.count {
      do throws(HTTPRefusal) {
        guard case .request(let head, let body) = try parser.next(piece.span.bytes, &position) else { continue }
        let request = HTTPRequest(head: head, body: body, peer: "")
        let fields = (0..<request.fields.count).map { request.fields.field(at: $0) }
        let line = "\(request.method.rawValue) \(text(request.path)) \(request.query.map(text) ?? "-")"
        parsed.append(
          .request(([line] + fields.map { "\($0.name)=\($0.value)" }).joined(separator: ","), body: text(body[...])))
      } catch {
        return parsed + [.refused(error.status.code)]
      }
    }
  }
  return parsed
}

func parse(_ text: String, limits: HTTPLimits = HTTPLimits()) -> [Parsed] { parse([Array(text.utf8)], limits: limits) }

func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

/// The status that a request whose head is these lines is refused with; 0 when it is taken.
func refusal(_ lines: String..., body: String = "", limits: HTTPLimits = HTTPLimits()) -> Int {
  let text = lines.map { $0 + "\r\n" }.joined() + "\r\n" + body
  for case .refused(let status) in parse(text, limits: limits) { return status }
  return 0
}

/// Random numbers that a seed replays.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
