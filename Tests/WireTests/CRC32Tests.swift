import Testing
import Wire

@Suite("CRC32")
struct CRC32Tests {
  @Test func `the check value is that of the catalogue of CRCs`() {
    #expect(CRC32.checksum(Array("123456789".utf8).span.bytes) == 0xCBF4_3926)
    #expect(CRC32.checksum([UInt8]().span.bytes) == 0)
  }

  @Test func `pieces give the checksum of the whole`() {
    let bytes = Array("the order and its payment".utf8)
    for split in 0...bytes.count {
      let first = CRC32.checksum(Array(bytes[..<split]).span.bytes)
      #expect(
        CRC32.checksum(Array(bytes[split...]).span.bytes, after: first) == CRC32.checksum(bytes.span.bytes))
    }
  }
}
