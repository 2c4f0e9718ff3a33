@testable import RPC

/// Frames: whole and in pieces they are the same; both sides' machines and credit keep their promises whatever comes.
///
/// The first byte: its lowest bit says that the rest are bytes as they come; otherwise they are frames to be sealed,
/// since no fuzzer finds a checksum. The second byte makes the sizes of the pieces.
@Sendable func fuzzFrames(_ input: [UInt8]) {
  var input = FuzzInput(input)
  let isRaw = input.byte() & 1 == 1
  let seed = input.byte()
  let bytes = isRaw ? input.remainder() : sealedFrames(&input)
  let whole = decode([bytes])
  precondition(decode(bytes.pieces(seed: seed)) == whole, "pieces read otherwise than the whole")
  var (server, client) = (FuzzedServer(), FuzzedClient())
  for frame in whole.frames {
    server.received(frame)
    client.received(frame)
  }
  server.closed()
  client.closed()
}

/// A frame that came.
struct Frame: Equatable {
  let header: FrameHeader
  let payload: [UInt8]
}

private let payloadMax = 4_096

private func decode(_ pieces: [[UInt8]]) -> (frames: [Frame], error: FrameError?) {
  var decoder = FrameDecoder(payloadLimit: payloadMax)
  var frames: [Frame] = []
  for piece in pieces {
    do throws(FrameError) {
      try decoder.decode(piece.span.bytes) { header, payload in
        frames.append(Frame(header: header, payload: payload.withUnsafeBytes { Array($0) }))
        return true
      }
    } catch {
      return (frames, error)
    }
    precondition(decoder.pendingBytes < FrameHeader.size + payloadMax, "more is kept than a frame may have")
  }
  return (frames, nil)
}

/// The bytes of frames that the input describes: kind, flags, stream, code, value, length and payload of each.
private func sealedFrames(_ input: inout FuzzInput) -> [UInt8] {
  var bytes: [UInt8] = []
  while !input.isEmpty {
    let kinds = FrameKind.allCases
    let kind = kinds[Int(input.byte()) % kinds.count]
    let flags = FrameHeader.Flags(rawValue: input.byte())
    let stream = UInt32(truncatingIfNeeded: Int32(Int8(bitPattern: input.byte())))
    let code = UInt16(truncatingIfNeeded: input.number(bytes: 2))
    let value = input.number(bytes: 4)
    FrameHeader(kind: kind, stream: stream, flags: flags, code: code, value: value)
      .append(payload: input.bytes(Int(input.byte())), to: &bytes)
  }
  return bytes
}
