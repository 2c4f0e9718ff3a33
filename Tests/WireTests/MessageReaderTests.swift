import Testing
import Wire

/// What the reader says about bytes that break a rule of `Schemas/PROTOCOL.md`.
@Suite("MessageReader")
struct MessageReaderTests {
  private func problem(
    _ hexadecimal: String, in type: any Message.Type = OldVersion.self, budget: DecodingBudget = .default
  ) -> String? {
    do {
      _ = try type.init(decoding: bytes(hexadecimal), budget: budget)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `a header that is cut off is refused`() {
    #expect(problem("") == "message at byte 0: the message has 0 bytes, its header alone takes 8")
    #expect(problem("00 00 00 00 00 00 00") == "message at byte 7: the message has 7 bytes, its header alone takes 8")
  }

  @Test func `a fixed block that is cut off is refused`() {
    #expect(
      problem("0800 0000 0000 0000 00")
        == "message at byte 9: the message has 9 bytes, its header and fixed block take 16")
  }

  @Test func `a fixed block may end before a slot but not inside it`() {
    #expect(problem("0800 0100 0000 0000 0500 0000 0000 0000") == nil)
    #expect(
      problem("0900 0100 0000 0000 0500 0000 0000 0000 00")
        == "note at byte 17: the fixed block ends inside the field's slot")
  }

  @Test func `a field cannot be present without its slot`() {
    #expect(
      problem("0800 0200 0000 0000 0000 0000 0000 0000")
        == "note at byte 16: the field is marked present, but the fixed block ends before its slot")
  }

  @Test func `the slot of an absent field is zero`() {
    #expect(
      problem("0800 0000 0000 0000 0000 0001 0000 0000")
        == "amount at byte 11: the field is absent, but its slot is not zero")
  }

  @Test func `a content lies behind the fixed block`() {
    #expect(
      problem("1000 0200 0000 0000 0000000000000000 1700 0000 0100 0000 61")
        == "note at byte 16: the content begins at 23, before 24, where what precedes it ends")
  }

  @Test func `a content ends inside the message`() {
    #expect(
      problem("1000 0200 0000 0000 0000000000000000 1800 0000 0200 0000 61")
        == "note at byte 16: the content ends at 26, after the message of 25 bytes")
    #expect(
      problem("1000 0200 0000 0000 0000000000000000 ffff ffff ffff ffff 61")
        == "note at byte 16: the content ends at 8589934590, after the message of 25 bytes")
  }

  @Test func `contents never overlap`() {
    // Both texts of a NewVersion lie at the same place: one byte on the wire would be two in memory.
    #expect(
      problem(
        """
        2800 0a00 0000 0000 0000000000000000 3000 0000 0200 0000
        00000000000000000000000000000000 3100 0000 0100 0000 6161
        """, in: NewVersion.self)
        == "remark at byte 40: the content begins at 49, before 50, where what precedes it ends")
  }

  @Test func `a gap before a content is skipped`() throws {
    let message = try OldVersion(
      decoding: bytes("1000 0200 0000 0000 0000000000000000 1a00 0000 0100 0000 0000 61"))
    #expect(message.note == "a")
  }

  @Test func `text is valid UTF-8`() {
    #expect(
      problem("1000 0200 0000 0000 0000000000000000 1800 0000 0300 0000 61c0af")
        == "note at byte 25: the text is not valid UTF-8")
  }

  @Test func `a bool is 0 or 1`() {
    #expect(problem("0100 0100 0000 0000 02", in: Sample.self) == "flag at byte 8: a bool is 0 or 1")
  }

  @Test func `an enum has one of its numbers`() {
    var encoded = Sample.full.encoded()
    encoded[81] = 3
    encoded[82] = 0
    #expect(
      throws: DecodingError("the number is none of gozon.test.Kind", at: 81, field: "kind")
    ) { try Sample(decoding: encoded) }
  }

  @Test func `an error inside a list names the whole path and the byte in the outermost message`() throws {
    let message = Inner("", [Inner("a"), Inner("b", [Inner("c")])])
    var encoded = message.encoded()
    let last = try #require(encoded.lastIndex(of: UInt8(ascii: "c")))
    encoded[last] = 0xFF
    #expect(
      throws: DecodingError("the text is not valid UTF-8", at: last, field: "children[1].children[0].note")
    ) { try Inner(decoding: encoded) }
  }

  @Test(arguments: ["0100 0000", "0000 0000 00", "ffff ffff", "0100 0000 0100 0000", ""])
  func `a list's elements take up exactly its content`(content: String) {
    let length = bytes(content).count
    let message = "1000 0200 0000 0000 0000000000000000 1800 0000 0\(length)00 0000 \(content)"
    #expect(
      problem(message, in: Inner.self)
        == (length == 0
          ? "children at byte 24: the list's elements do not take up exactly its 0 bytes"
          : "children at byte 24: the list's elements do not take up exactly its \(length) bytes"))
  }

  @Test func `a message larger than the budget is refused before anything is read`() {
    #expect(
      problem("0000 0000 0000 0000", budget: DecodingBudget(bytes: 7))
        == "message at byte 0: the message has 8 bytes; at most 7 are allowed")
  }

  @Test func `the elements of all lists share one budget`() throws {
    let message = Inner("", [Inner("", [Inner(), Inner()]), Inner("", [Inner()])])
    let encoded = message.encoded()
    #expect(try Inner(decoding: encoded, budget: DecodingBudget(elements: 5)) == message)
    #expect(throws: DecodingError("the lists have too many elements", at: 152, field: "children[1].children")) {
      try Inner(decoding: encoded, budget: DecodingBudget(elements: 4))
    }
  }

  @Test func `messages nest sixteen deep`() throws {
    var message = Inner()
    for _ in 1..<16 { message = Inner("", [message]) }
    #expect(try Inner(decoding: message.encoded()) == message)
    #expect(throws: DecodingError.self) { try Inner(decoding: Inner("", [message]).encoded()) }
  }
}
