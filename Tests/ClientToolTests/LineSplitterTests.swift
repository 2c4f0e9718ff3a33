import Testing

@testable import ClientTool

@Suite struct LineSplitterTests {
  private static func lines(_ chunks: [String]) throws -> [String] {
    var splitter = LineSplitter()
    var lines = try chunks.flatMap { try splitter.append(Array($0.utf8)) }
    if let last = splitter.end() { lines.append(last) }
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `wherever the bytes are cut, the lines are the same`() throws {
    let text = "{\"a\":1}\n\r\n{}\r\n  \n[2]"
    for cut in 0...text.utf8.count {
      let bytes = Array(text.utf8)
      let chunks = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
      #expect(try Self.lines(chunks) == ["{\"a\":1}", "{}", "[2]"])
    }
  }

  @Test func `an empty stream has no lines`() throws {
    #expect(try Self.lines([]) == [])
    #expect(try Self.lines(["\n", "\n"]) == [])
  }

  @Test func `a line without end is refused before it fills the memory`() throws {
    var splitter = LineSplitter()
    let chunk = [UInt8](repeating: 65, count: 1 << 20)
    for _ in 0..<8 { _ = try splitter.append(chunk) }
    #expect(throws: LineSplitter.LineTooLong.self) { try splitter.append(chunk) }
  }
}
