import TestSupport
import Testing

@testable import RPC

@Suite struct HelloTests {
  private static let server = Hello(
    payloadBytesMax: 4 << 20, streamsMax: 8_192, pingIntervalMillisecondsMin: 1_000, metadata: ["name": "payments"])
  private static let golden = bytes(
    "2d000000 00000000 01 00 0000 00000000 ee8e5e22 fbb08e14 474f5a4e 0100 0100 "
      + "00004000 00200000 e8030000 00000400 00004000 0f00 046e616d6508007061796d656e7473")

  @Test func `a hello has exactly the bytes of the specification`() {
    var written: [UInt8] = []
    Self.server.append(to: &written)
    #expect(hexadecimal(written) == hexadecimal(Self.golden))
    #expect(Hello.decode(Self.golden.span.bytes.extracting(FrameHeader.size...)) == Self.server)
  }

  @Test func `a hello that is cut short is none`() {
    let payload = Array(Self.golden.dropFirst(FrameHeader.size))
    for length in 0..<payload.count {
      #expect(Hello.decode(payload.span.bytes.extracting(0..<length)) == nil, "\(length) bytes")
    }
  }

  @Test func `a newer hello is read as far as it is known`() {
    let payload = Array(Self.golden.dropFirst(FrameHeader.size)) + [1, 2, 3]
    #expect(Hello.decode(payload.span.bytes) == Self.server)
  }

  @Test func `a hello of another protocol is none`() {
    var payload = Array(Self.golden.dropFirst(FrameHeader.size))
    payload[0] ^= 0x20
    #expect(Hello.decode(payload.span.bytes) == nil)
  }

  @Test(
    arguments: [
      (1, 1, true), (0, 1, true), (1, 9, true), (0, 9, true), (2, 9, false), (0, 0, false), (9, 0, false),
    ] as [(UInt16, UInt16, Bool)])
  func `versions must overlap`(min: UInt16, max: UInt16, isCompatible: Bool) {
    var peer = Self.server
    peer.versionMin = min
    peer.versionMax = max
    #expect(Self.server.isCompatible(with: peer) == isCompatible)
  }
}
