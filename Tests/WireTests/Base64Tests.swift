import Testing
import Wire

@Suite struct Base64Tests {
  @Test(arguments: [
    ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
    ("Zm9vYmFy", "foobar"),
  ])
  func `the vectors of RFC 4648, both ways`(text: String, content: String) {
    #expect(Base64.standard.decode(text) == Array(content.utf8))
    #expect(Base64.standard.encode(Array(content.utf8)) == text)
    let bare = text.replacing("=", with: "")
    #expect(Base64.url.decode(bare) == Array(content.utf8) && Base64.url.encode(Array(content.utf8)) == bare)
  }

  @Test func `every byte comes back, whatever its place`() {
    for count in 0..<300 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 37 + count) }
      for form in [Base64.standard, .url] { #expect(form.decode(form.encode(bytes)) == bytes) }
    }
    #expect(Base64.standard.decode("+/+/AP8A") == [0xFB, 0xFF, 0xBF, 0x00, 0xFF, 0x00])
    #expect(Base64.url.decode("-_-_AP8A") == [0xFB, 0xFF, 0xBF, 0x00, 0xFF, 0x00])
  }

  @Test(arguments: ["Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z-8=", "Zm 9", "=Zm9", "Zh==", "Zm9=", "Zm9v\n"])
  func `what is not base64 is none`(text: String) {
    #expect(Base64.standard.decode(text) == nil)
  }

  @Test(arguments: ["Z", "Zg==", "Zg=", "Z+8", "Z/8", "Zh", "Zm9", "Zm9vZ", " Zg", "Zg\n"])
  func `what is not base64url is none`(text: String) {
    #expect(Base64.url.decode(text) == nil)
  }
}
