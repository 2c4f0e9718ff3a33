import Testing
import Wire

@Suite("UUID")
struct UUIDTests {
  @Test func `text comes back as it was, in lower case`() throws {
    let uuid = try #require(UUID("0123ABCD-89ab-CDEF-8899-aabbccddeeff"))
    #expect(uuid == UUID(high: 0x0123_ABCD_89AB_CDEF, low: 0x8899_AABB_CCDD_EEFF))
    #expect(uuid.description == "0123abcd-89ab-cdef-8899-aabbccddeeff")
    #expect(UUID.zero.description == "00000000-0000-0000-0000-000000000000")
  }

  @Test(arguments: [
    "", "0123abcd", "0123abcd89abcdef8899aabbccddeeff", "0123abcd-89ab-cdef-8899-aabbccddeef",
    "0123abcd-89ab-cdef-8899-aabbccddeeff0", "0123abcg-89ab-cdef-8899-aabbccddeeff",
    "0123abcd+89ab-cdef-8899-aabbccddeeff", "{123abcd-89ab-cdef-8899-aabbccddeef}",
    "0123abc-d89ab-cdef-8899-aabbccddeeff", " 123abcd-89ab-cdef-8899-aabbccddeeff",
    "0123abcd-89ab-cdef-8899-aabbccddeeé",
  ])
  func `anything but the 36 characters is refused`(text: String) {
    #expect(UUID(text) == nil)
  }

  @Test func `a substring is read like a string`() {
    let text = "id=0123abcd-89ab-cdef-8899-aabbccddeeff"
    #expect(UUID(text.dropFirst(3)) == UUID(text.suffix(36)))
    #expect(UUID(text.dropFirst(3)) != nil)
  }

  @Test func `version 7 carries the time, the version and the variant`() {
    let uuid = UUID.v7(Timestamp(microseconds: 0x0123_4567_89AB * 1000 + 500))
    #expect(uuid.high >> 16 == 0x0123_4567_89AB)
    #expect(uuid.high >> 12 & 15 == 7)
    #expect(uuid.high & 0xFFF == 0x800)
    #expect(uuid.low >> 62 == 0b10)
  }

  @Test func `version 7 sorts by time, to the microsecond`() {
    let uuids = (0..<3000).map { UUID.v7(Timestamp(microseconds: 1_763_650_200_000_000 + $0)) }
    #expect(uuids == uuids.sorted())
    #expect(Set(uuids).count == uuids.count)
  }

  @Test func `identifiers order by their bytes`() {
    #expect(UUID(high: 1, low: 0) > UUID(high: 0, low: .max))
    #expect(UUID(high: 1, low: 1) > UUID(high: 1, low: 0))
  }
}
