import Foundation
import TestSupport
import Testing

@testable import Service

@Suite struct LogTests {
  private static let json = Log(service: "gozon-test", format: "json")

  private static func object(_ line: String) throws -> [String: String]? {
    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
  }

  @Test func `an event is a line of JSON with its fields`() throws {
    let line = Self.json.line(.warning, "it happened", [.port: "80", .requestID: "r-1"])
    #expect(line.hasSuffix("}\n") && line.count { $0 == "\n" } == 1)
    let object = try #require(try Self.object(line))
    #expect(object["level"] == "warning" && object["service"] == "gozon-test" && object["message"] == "it happened")
    #expect(object["port"] == "80" && object["request.id"] == "r-1" && object["time"]?.hasSuffix("Z") == true)
  }

  @Test func `whatever is said, the line stays one line and says just that`() throws {
    var random = SeededRandom()
    var texts = ["\"\\\n\r\t\u{0}\u{1F}\u{7F}\u{2028}", "\u{1F600}é", "", "\\u0041", "\r\n"]
    for _ in 0..<300 {
      let scalars = (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in
        Unicode.Scalar(UInt32.random(in: 0...0x250, using: &random))
      }
      texts.append(String(String.UnicodeScalarView(scalars)))
    }
    for text in texts {
      let line = Self.json.line(.error, text, [.error: text])
      #expect(line.utf8.count { $0 == 0x0A } == 1, "seed \(random.seed)")
      let object = try #require(try Self.object(line))
      #expect(object["message"]?.utf8.elementsEqual(text.utf8) == true, "seed \(random.seed)")
      #expect(object["error"]?.utf8.elementsEqual(text.utf8) == true)
    }
  }

  @Test func `on a terminal an event is text`() {
    let line = Log(service: "gozon-test", format: "text").line(.info, "it happened", [.port: "80"])
    #expect(line.hasSuffix(" info gozon-test: it happened port=80\n"))
  }

  @Test func `levels are in order and have names`() {
    let levels = ["debug", "info", "warning", "error"].compactMap { Log.Level(name: $0) }
    #expect(levels.count == 4 && levels == levels.sorted())
    #expect(Log.Level(name: "loud") == nil)
  }
}
