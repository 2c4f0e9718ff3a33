import Testing

@testable import Wire

@Suite struct GzipCompressorTests {
  @Test func `a file has the header, the checksum and the length of its bytes`() throws {
    let bytes = [UInt8](repeating: 7, count: 100_000)
    let file = try #require(GzipCompressor().compress(bytes))
    #expect(file.starts(with: [0x1F, 0x8B, 8]) && file.count < 1_000)
    let checksum = CRC32.checksum(bytes.span.bytes)
    let trailer = file.suffix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    #expect(trailer == UInt64(checksum) | 100_000 << 32)
  }

  @Test func `what would not become shorter is not compressed`() {
    let compressor = GzipCompressor()
    #expect(compressor.compress([]) == nil && compressor.compress([1]) == nil)
    var random = SystemRandomNumberGenerator()
    #expect(compressor.compress((0..<10_000).map { _ in UInt8.random(in: 0...255, using: &random) }) == nil)
  }
}
