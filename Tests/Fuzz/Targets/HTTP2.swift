@testable import HTTP

/// One connection by HTTP/2: whole, in pieces and byte by byte the requests are the same, and answering them, or resetting
/// them, breaks nothing.
///
/// The first byte makes the sizes of the pieces; an odd one has the rest taken as a script of frames whose lengths are
/// right.
@Sendable func fuzzHTTP2(_ input: [UInt8]) {
  guard let seed = input.first else { return }
  let frames = seed & 1 == 0 ? Array(input.dropFirst()) : script(Array(input.dropFirst()))
  let bytes = ClientPreface.bytes + [0, 0, 0, 4, 0, 0, 0, 0, 0] + frames
  let whole = requests([bytes])
  for pieces in [bytes.pieces(seed: seed), bytes.map { [$0] }] {
    // A client that is sent away is sent away earlier where it is read in pieces.
    precondition(whole.starts(with: requests(pieces)), "pieces read otherwise than the whole")
  }
  answer(bytes.pieces(seed: seed))
}

/// Small limits, so that short inputs go beyond them.
private let limits: HTTPLimits = {
  var limits = HTTPLimits()
  limits.requestLineBytesMax = 200
  limits.headBytesMax = 500
  limits.fieldsMax = 12
  limits.bodyBytesMax = 300
  limits.streamsMax = 5
  limits.heldBytesMax = 600
  return limits
}()

private func script(_ input: [UInt8]) -> [UInt8] {
  var (input, frames): (FuzzInput, [UInt8]) = (FuzzInput(input), [])
  while !input.isEmpty {
    let (kind, flags, stream) = (input.byte() % 11, input.byte(), input.byte())
    let payload = input.bytes(Int(input.byte()))
    frames += [0, 0, UInt8(payload.count), kind, flags, 0, 0, 0, stream] + payload
  }
  return frames
}

/// What became of the heads and the bodies that came.
private func requests(_ pieces: [[UInt8]]) -> [[UInt8]] {
  let session = HTTP2Session(limits: limits)
  var found: [[UInt8]] = []
  for piece in pieces {
    session.receive(piece.span.bytes)
    for event in session.takeEvents() {
      switch event {
      case .head(let stream): found.append(describe(stream))
      case .requestEnded(let stream) where !stream.isRequestDropped: found.append([2] + stream.body)
      case .bodyRefused(_, let refusal): found.append([3] + Array(refusal.detail.utf8))
      default: break
      }
    }
    check(session)
  }
  return found
}

private func describe(_ stream: HTTP2Stream) -> [UInt8] {
  do throws(HTTPRefusal) {
    let head = try stream.head.finish(hasBody: stream.isRequestOpen)
    precondition(head.fields.count <= limits.fieldsMax + 2)
    let request = HTTPRequest(head: head, body: [], peer: "")
    return Array(request.method.rawValue.utf8) + request.path + [0] + (request.query ?? []) + head.fields.text
  } catch {
    return [1] + Array(error.detail.utf8)
  }
}

/// Answers every other request, and resets the others.
private func answer(_ pieces: [[UInt8]]) {
  let session = HTTP2Session(limits: limits)
  var output: [UInt8] = []
  for piece in pieces {
    session.receive(piece.span.bytes)
    for event in session.takeEvents() {
      guard case .head(let stream) = event, !stream.isClosed else { continue }
      if stream.id % 4 == 1 {
        stream.isRequestDropped = true
        stream.output = HTTP2Output(whole: [UInt8](repeating: 7, count: 100))
        session.respond(
          stream, HTTPResponse.content("a/b", String(repeating: "x", count: 100)), date: [0x30], hasBody: true)
      } else {
        session.reset(stream.id, .cancel)
      }
    }
    session.appendOutput(to: &output, bytesMax: 100_000)
    precondition(output.count < 100_000, "short inputs make a long answer")
    check(session)
  }
  session.announceEnd()
  session.leave()
  session.appendOutput(to: &output, bytesMax: 200_000)
}

private func check(_ session: HTTP2Session) {
  precondition(session.streams.count <= limits.streamsMax, "more streams than announced")
  let held = session.streams.values.reduce(0) { $0 + $1.heldBytes }
  precondition(session.heldBytes >= held && held <= limits.heldBytesMax, "more is held than may be")
}
