import TestSupport
import Testing

@testable import RPC

@Suite struct FrameDecoderTests {
  private struct Frame: Equatable {
    var header: FrameHeader
    var payload: [UInt8]
  }

  private static let frames: [Frame] = [
    Frame(header: FrameHeader(kind: .hello), payload: Array(0..<20)),
    Frame(header: FrameHeader(kind: .ping, value: 9), payload: []),
    Frame(header: FrameHeader(kind: .request, stream: 1, code: 0x1001, value: 50), payload: Array(0..<70)),
    Frame(header: FrameHeader(kind: .cancel, stream: 1), payload: []),
    Frame(header: FrameHeader(kind: .response, stream: 2, flags: .metadata, code: 5), payload: [7]),
    Frame(header: FrameHeader(kind: .goAway, stream: 2, code: 1), payload: Array("bye".utf8)),
  ].map { frame in
    var frame = frame
    frame.header.length = UInt32(frame.payload.count)
    return frame
  }

  private static let stream = frames.reduce(into: [UInt8]()) { $1.header.append(payload: $1.payload, to: &$0) }

  private static func feed(
    _ pieces: [ArraySlice<UInt8>], to decoder: inout FrameDecoder
  ) throws(FrameError) -> [Frame] {
    var frames: [Frame] = []
    for piece in pieces {
      try decoder.decode(Array(piece).span.bytes) { header, payload in
        frames.append(Frame(header: header, payload: payload.withUnsafeBytes { Array($0) }))
        return true
      }
    }
    return frames
  }

  private static func decode(_ pieces: [ArraySlice<UInt8>]) throws(FrameError) -> [Frame] {
    var decoder = FrameDecoder(payloadLimit: 1_000)
    return try feed(pieces, to: &decoder)
  }

  @Test func `a stream yields the same frames wherever it is cut in three`() throws {
    let stream = Self.stream
    for first in 0...stream.count {
      for second in first...stream.count {
        let frames = try Self.decode([stream[..<first], stream[first..<second], stream[second...]])
        if frames != Self.frames { Issue.record("cut at \(first) and \(second)") }
      }
    }
  }

  @Test func `a stream yields the same frames byte by byte and in random pieces`() throws {
    #expect(try Self.decode(Self.stream.indices.map { Self.stream[$0...$0] }) == Self.frames)
    var random = SeededRandom()
    for _ in 0..<500 {
      var cuts = (0..<Int.random(in: 0...20, using: &random)).map { _ in
        Int.random(in: 0...Self.stream.count, using: &random)
      }
      cuts = [0] + cuts.sorted() + [Self.stream.count]
      let pieces = zip(cuts, cuts.dropFirst()).map { Self.stream[$0..<$1] }
      #expect(try Self.decode(pieces) == Self.frames, "seed \(random.seed)")
    }
  }

  @Test func `a stream that ends early yields the whole frames and keeps the rest`() throws {
    var ends = [0]
    for frame in Self.frames { ends.append(ends.last! + FrameHeader.size + frame.payload.count) }
    for length in 0...Self.stream.count {
      var decoder = FrameDecoder(payloadLimit: 1_000)
      let whole = ends.lastIndex { $0 <= length }!
      #expect(try Self.feed([Self.stream[..<length]], to: &decoder) == Array(Self.frames[..<whole]))
      #expect(decoder.pendingBytes == length - ends[whole])
    }
  }

  @Test func `a payload longer than the limit is refused by its header alone`() throws {
    for length in [1_001, 0x7FFF_FFFF, 0xFFFF_FFFF] as [UInt32] {
      let header = sealed(kind: FrameKind.request.rawValue, length: length)
      for cut in 0...header.count {
        var decoder = FrameDecoder(payloadLimit: 1_000)
        #expect(throws: FrameError.tooLong(bytes: length, limit: 1_000)) {
          try Self.feed([header[..<cut], header[cut...], [0]], to: &decoder)
        }
        #expect(decoder.pendingBytes <= FrameHeader.size)
      }
    }
    #expect(try Self.decode([sealed(kind: FrameKind.request.rawValue, length: 1_000)[...]]).isEmpty)
  }

  @Test func `a payload with any bit turned over is refused`() {
    var frame: [UInt8] = []
    FrameHeader(kind: .request, stream: 1).append(payload: [1, 2, 3], to: &frame)
    for bit in (FrameHeader.size * 8)..<(frame.count * 8) {
      var spoiled = frame
      spoiled[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: FrameError.damagedPayload) { try Self.decode([spoiled[...]]) }
      #expect(throws: FrameError.damagedPayload) { try Self.decode([spoiled[..<25], spoiled[25...]]) }
    }
  }

  @Test func `a length that lies is noticed at the payload's checksum`() {
    let payload: [UInt8] = [1, 2, 3, 4]
    for length in [0, 1, 3, 5, 8] as [UInt32] {
      let header = sealed(kind: 2, length: length, payloadChecksum: checksum(payload))
      #expect(throws: FrameError.damagedPayload) { try Self.decode([header[...], payload[...], [0, 0, 0, 0]]) }
    }
  }

  @Test func `a kind or flag that is unknown is refused wherever the header is cut`() {
    for (header, error) in [
      (sealed(kind: 11, length: 0), FrameError.unknownKind(11)),
      (sealed(kind: 2, flags: 0x80, length: 0), .unknownFlags(0x80)),
    ] {
      for cut in 0...header.count {
        #expect(throws: error) { try Self.decode([header[..<cut], header[cut...], [0]]) }
      }
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP"), ("POST /v1/orders HTTP/1.1\r\n", "HTTP"),
    ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{0}\u{3}\u{3}ABCDEFGHIJKLMNOP", "TLS"),
    ("SSH-2.0-OpenSSH_9.2p1 Debian", "no frame"),
  ])
  func `another protocol is told what this port speaks`(greeting: String, word: String) throws {
    let error = #expect(throws: FrameError.self) { try Self.decode([Array(greeting.utf8)[...]]) }
    #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
  }

  @Test func `nothing is read behind a frame that ends the conversation`() throws {
    var decoder = FrameDecoder(payloadLimit: 1_000)
    var count = 0
    try decoder.decode((Self.stream + [0xFF]).span.bytes) { _, _ in
      count += 1
      return count < 3
    }
    #expect(count == 3)
  }

  @Test func `random bytes and spoiled streams never crash`() {
    var random = SeededRandom()
    for _ in 0..<5_000 {
      var bytes = Self.stream
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let cut = Int.random(in: 0...bytes.count, using: &random)
      // What is refused or not does not matter here: CRC-32 finds any damage of so few bytes but says nothing of a crash.
      _ = try? Self.decode([bytes[..<cut], bytes[cut...]])
      _ = try? Self.decode([random.bytes(64)[...]])
    }
  }
}
