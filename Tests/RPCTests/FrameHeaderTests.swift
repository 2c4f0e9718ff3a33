import TestSupport
import Testing

@testable import RPC

@Suite struct FrameHeaderTests {
  /// One frame of each kind with its exact bytes; they are those of `Schemas/PROTOCOL.md`.
  static let golden: [(header: FrameHeader, payload: [UInt8], bytes: String)] = [
    (
      FrameHeader(kind: .request, stream: 3, code: 0x1102, value: 10_000),
      bytes("100001000000000000112233445566778899aabbccddeeff"),
      "18000000 03000000 02 00 0211 10270000 13ef3ea3 82fadc90 100001000000000000112233445566778899aabbccddeeff"
    ),
    (
      FrameHeader(kind: .response, stream: 3, flags: .metadata, code: 5), bytes("0000"),
      "02000000 03000000 03 01 0500 00000000 ff12d941 38e16c2c 0000"
    ),
    (FrameHeader(kind: .cancel, stream: 2), [], "00000000 02000000 04 00 0000 00000000 00000000 9185738b"),
    (FrameHeader(kind: .ping, value: 0xCAFE_F00D), [], "00000000 00000000 05 00 0000 0df0feca 00000000 864b30e4"),
    (FrameHeader(kind: .pong, value: 0xCAFE_F00D), [], "00000000 00000000 06 00 0000 0df0feca 00000000 7699ae93"),
    (
      FrameHeader(kind: .goAway, code: GoAwayReason.protocolViolation.rawValue), Array("no".utf8),
      "02000000 00000000 07 00 0200 00000000 1f28aa67 ba246c0c 6e6f"
    ),
  ]

  @Test(arguments: golden.indices) func `a frame has exactly the bytes of the specification`(index: Int) throws {
    let (header, payload, expected) = Self.golden[index]
    var written: [UInt8] = []
    header.append(payload: payload, to: &written)
    #expect(hexadecimal(written) == hexadecimal(bytes(expected)))
    var sized = header
    sized.length = UInt32(payload.count)
    let (read, checksum) = try FrameHeader.decode(written.span.bytes)
    #expect(read == sized)
    #expect(checksum == written.span.bytes.littleEndian(at: 16, as: UInt32.self))
  }

  @Test func `a header with any bit turned over is refused`() {
    var frame: [UInt8] = []
    FrameHeader(kind: .request, stream: 7, code: 0x1002, value: 5_000).append(payload: [1, 2, 3], to: &frame)
    for bit in 0..<(FrameHeader.size * 8) {
      var spoiled = frame
      spoiled[bit / 8] ^= 1 << (bit % 8)
      #expect(throws: FrameError.self, "bit \(bit)") { try FrameHeader.decode(spoiled.span.bytes) }
    }
  }

  @Test func `a kind or flag of the future is named`() {
    #expect(throws: FrameError.unknownKind(0)) { try Self.decode(kind: 0, flags: 0) }
    #expect(throws: FrameError.unknownKind(11)) { try Self.decode(kind: 11, flags: 0) }
    #expect(throws: FrameError.unknownFlags(0x82)) { try Self.decode(kind: 2, flags: 0x82) }
  }

  @Test func `a flag or a payload where there is none is refused`() {
    for kind in FrameKind.allCases {
      for bit in 0..<8 as Range<UInt8> {
        let flag = FrameHeader.Flags(rawValue: 1 << bit)
        if kind.flags.contains(flag) {
          #expect(throws: Never.self) { try Self.decode(kind: kind.rawValue, flags: flag.rawValue) }
        } else {
          #expect(throws: FrameError.unknownFlags(flag.rawValue)) {
            try Self.decode(kind: kind.rawValue, flags: flag.rawValue)
          }
        }
      }
      guard !kind.hasPayload else { continue }
      #expect(throws: FrameError.unexpectedPayload(kind)) {
        _ = try FrameHeader.decode(sealed(kind: kind.rawValue, flags: 0, length: 1).span.bytes)
      }
    }
  }

  /// Decodes a header whose checksum holds, whatever it says.
  private static func decode(kind: UInt8, flags: UInt8) throws {
    _ = try FrameHeader.decode(sealed(kind: kind, flags: flags, length: 0).span.bytes)
  }
}

/// A header with a checksum that holds, whatever the fields say.
func sealed(kind: UInt8, flags: UInt8 = 0, length: UInt32, payloadChecksum: UInt32 = 0) -> [UInt8] {
  var frame = [UInt8](repeating: 0, count: FrameHeader.size)
  frame.replaceSubrange(0..<4, with: length.littleEndianBytes)
  frame[8] = kind
  frame[9] = flags
  frame.replaceSubrange(16..<20, with: payloadChecksum.littleEndianBytes)
  frame.replaceSubrange(20..<24, with: checksum(frame[0..<20]).littleEndianBytes)
  return frame
}

extension UInt32 {
  var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}

/// CRC-32 bit by bit, as PROTOCOL.md describes it: a second opinion on the library's.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
  }
}
