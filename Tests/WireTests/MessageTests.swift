import Testing
import Wire

@Suite("Message")
struct MessageTests {
  /// The worked example of `Schemas/PROTOCOL.md`.
  @Test func `a message has the bytes that PROTOCOL.md works out`() throws {
    let message = OldVersion(amount: 1299, note: "two books")
    let golden = bytes(
      """
      1000 0300 0000 0000   # 16 bytes of slots; fields 1 and 2 are present
      1305 0000 0000 0000   # amount: 1299
      1800 0000 0900 0000   # note: 9 bytes at 24
      7477 6f20 626f 6f6b 73
      """.withoutComments)
    #expect(hexadecimal(message.encoded()) == hexadecimal(golden))
    #expect(try OldVersion(decoding: golden) == message)
  }

  @Test func `messages in a list have the bytes that PROTOCOL.md works out`() throws {
    let golden = bytes(
      """
      1000 0300 0000 0000
      1800 0000 0400 0000
      1c00 0000 2500 0000
      726f 6f74
      0100 0000
      1d00 0000
      1000 0300 0000 0000
      1800 0000 0100 0000
      1900 0000 0400 0000
      61
      0000 0000
      """)
    let message = Inner("root", [Inner("a")])
    #expect(hexadecimal(message.encoded()) == hexadecimal(golden))
    #expect(try Inner(decoding: golden) == message)
  }

  @Test func `every type has its golden bytes`() throws {
    let golden = bytes(
      """
      8300ffff03000000
      01
      feffffff
      00a22f4dffffffff
      00286bee
      ffffffffffffffff
      000000000000e03f
      8b00000006000000
      9100000003000000
      0123456789abcdef8899aabbccddeeff
      40b8afcf07440600
      bc02
      940000001e000000
      b20000000c000000
      be00000013000000
      d100000066000000
      0000000000000000
      3701000000000000
      3701000020000000
      47c3b67a6f6e00ff01100003000000000018000000020000001a000000040000
      00696e000000000200000001000000ffffffff03000000010000000000000002
      00000061d0b6020000001c0000003e0000001000030000000000180000000000
      0000180000000400000000000000100003000000000018000000010000001900
      00002500000078010000001d0000001000030000000000180000000100000019
      000000040000007900000000100003000000000018000000040000001c000000
      040000006c61737400000000
      """)
    #expect(hexadecimal(Sample.full.encoded()) == hexadecimal(golden))
    #expect(golden.count == Sample.full.encodedSize)
    #expect(try Sample(decoding: golden) == Sample.full)
  }

  @Test func `a message with nothing in it decodes to zeros`() throws {
    #expect(try Sample(decoding: [0, 0, 0, 0, 0, 0, 0, 0]) == Sample())
    #expect(try Sample(decoding: Sample().encoded()) == Sample())
  }

  @Test func `appending leaves what is there`() {
    var bytes: [UInt8] = [1, 2, 3]
    OldVersion(amount: 1, note: "").append(to: &bytes)
    #expect(bytes.prefix(3) == [1, 2, 3])
    #expect(bytes.dropFirst(3).elementsEqual(OldVersion(amount: 1, note: "").encoded()))
  }

  @Test func `present and zero is not absent`() throws {
    var message = NewVersion()
    message.remark = ""
    message.id = .zero
    let decoded = try NewVersion(decoding: message.encoded())
    #expect(decoded.remark == "" && decoded.id == .zero)
    #expect(try NewVersion(decoding: NewVersion().encoded()).remark == nil)
  }

  @Test func `an old reader skips what a new writer appended`() throws {
    var message = NewVersion()
    message.amount = 7
    message.note = "n"
    message.id = .v7(.now)
    message.remark = "later"
    #expect(try OldVersion(decoding: message.encoded()) == OldVersion(amount: 7, note: "n"))
  }

  @Test func `a new reader sees what an old writer did not know as absent`() throws {
    let decoded = try NewVersion(decoding: OldVersion(amount: 7, note: "n").encoded())
    #expect(decoded.amount == 7 && decoded.note == "n" && decoded.id == nil && decoded.remark == nil)
  }

  @Test func `every truncation is refused`() {
    let encoded = Sample.full.encoded()
    for length in 0..<encoded.count {
      #expect(throws: DecodingError.self, "\(length) bytes") { try Sample(decoding: Array(encoded[..<length])) }
    }
  }

  @Test(arguments: [1 as UInt64, 2, 3])
  func `bytes that somebody changed never crash the reader, and what it accepts is sound`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let encoded = Sample.full.encoded()
    for _ in 0..<5_000 {
      var changed = encoded
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      guard let message = try? Sample(decoding: changed) else { continue }
      // Not equality of values: a changed number may be NaN.
      #expect(try Sample(decoding: message.encoded()).encoded() == message.encoded())
    }
  }

  @Test func `random bytes never crash the reader`() {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<5_000 {
      var noise = (0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if noise.count >= 8 { noise.replaceSubrange(0..<2, with: [UInt8.random(in: 0...130, using: &random), 0]) }
      _ = try? Sample(decoding: noise)
    }
  }
}

extension String {
  /// The lines without what follows a `#`.
  fileprivate var withoutComments: String {
    split(separator: "\n").map { $0.prefix { $0 != "#" } }.joined(separator: "\n")
  }
}

/// A repeatable source of randomness (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
