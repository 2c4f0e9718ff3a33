import TestSupport
import Testing

@testable import RPC

@Suite struct MetadataTests {
  private static let golden = bytes("1300 0a 726571756573742d6964 0200 7231 01 61 0000")
  private static let metadata: Metadata = ["request-id": "r1", "a": ""]

  private static func encoded(_ metadata: Metadata) -> [UInt8] {
    var bytes: [UInt8] = []
    metadata.append(to: &bytes)
    return bytes
  }

  @Test func `metadata has exactly the bytes of the specification`() {
    #expect(hexadecimal(Self.encoded(Self.metadata)) == hexadecimal(Self.golden))
    let decoded = Metadata.decode(Self.golden.span.bytes)
    #expect(decoded?.metadata == Self.metadata && decoded?.size == Self.golden.count)
  }

  @Test func `what follows the metadata is left to the message`() {
    let followed = Self.golden + [9, 9]
    #expect(Metadata.decode(followed.span.bytes)?.size == Self.golden.count)
  }

  @Test func `metadata cut anywhere is none`() {
    for length in 0..<Self.golden.count {
      #expect(Metadata.decode(Self.golden.span.bytes.extracting(0..<length)) == nil, "\(length) bytes")
    }
  }

  @Test(arguments: [
    ("a length that lies within the metadata", "0500 0a 61626364"),
    ("a length beyond what a frame may hold", "ffff 01 61 0000"),
    ("an empty name", "0300 00 0000"),
    ("a name without a value", "0300 02 6162"),
    ("half of a value's length", "0300 01 61 00"),
    ("a value that reaches past the end", "0500 01 61 0200 62"),
    ("a name that is not UTF-8", "0400 01 ff 0000"),
    ("a value that is not UTF-8", "0500 01 61 0100 c0"),
  ])
  func `what is no metadata is refused`(what: String, hexadecimal: String) {
    #expect(Metadata.decode(bytes(hexadecimal).span.bytes) == nil, "\(what)")
  }

  @Test func `the bounds are kept on both ways`() {
    var full = Metadata()
    for number in 0..<Metadata.pairsMax { full["name-\(number)"] = "value" }
    #expect(full.fits && Metadata.decode(Self.encoded(full).span.bytes)?.metadata == full)
    full["one-more"] = ""
    #expect(!full.fits && Metadata.decode(Self.encoded(full).span.bytes) == nil)

    var long: Metadata = ["a": String(repeating: "x", count: Metadata.bytesMax - 4)]
    #expect(long.fits && Metadata.decode(Self.encoded(long).span.bytes)?.metadata == long)
    long["a"] = String(repeating: "x", count: Metadata.bytesMax - 3)
    #expect(!long.fits && Metadata.decode(Self.encoded(long).span.bytes) == nil)

    let longName: Metadata = [String(repeating: "n", count: 256): ""]
    #expect(!longName.fits)
  }

  @Test func `a name is set, replaced and removed`() {
    var metadata = Self.metadata
    metadata["a"] = "b"
    #expect(metadata.pairs.map(\.name) == ["request-id", "a"] && metadata["a"] == "b")
    metadata["a"] = nil
    #expect(metadata["a"] == nil && metadata.pairs.count == 1)
  }

  @Test func `no bytes whatever crash the decoder`() {
    var random = SeededRandom()
    for _ in 0..<20_000 {
      var bytes = random.bytes(Int.random(in: 0...40, using: &random))
      if bytes.count > 1 { bytes[1] = 0 }
      if let decoded = Metadata.decode(bytes.span.bytes) {
        #expect(Self.encoded(decoded.metadata) == Array(bytes.prefix(decoded.size)), "seed \(random.seed)")
      }
    }
  }
}
