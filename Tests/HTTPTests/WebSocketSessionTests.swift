@testable import HTTP
import Testing

@Suite struct WebSocketSessionTests {
  typealias Wire = WebSocketWire

  private static let message = Array(String(repeating: "é", count: 100).utf8)

  private static let wrong: [(name: String, bytes: [UInt8], sent: String)] = [
    ("an unmasked frame", Wire.frame(Wire.text, [1], isMasked: false), "8:1002"),
    ("a reserved bit", Wire.frame(Wire.text, [1], reserved: 0x40), "8:1002"),
    ("a continuation of nothing", Wire.frame(0, [1]), "8:1002"),
    ("a message within another", Wire.frame(Wire.text, [0x61], isLast: false) + Wire.frame("b"), "8:1002"),
    ("an unknown opcode", Wire.frame(3, [1]), "8:1002"),
    ("an unknown control opcode", Wire.frame(11), "8:1002"),
    ("a ping in pieces", Wire.frame(Wire.ping, [1], isLast: false), "8:"),
    ("a ping of 126 bytes", Wire.frame(Wire.ping, [UInt8](repeating: 1, count: 126)), "8:"),
    ("a text that is no UTF-8", Wire.frame(Wire.text, [0xFF]), "8:1007"),
    ("a text that ends in a character", Wire.frame(Wire.text, [0xC3]), "8:1007"),
    ("a surrogate", Wire.frame(Wire.text, [0xED, 0xA0, 0x80]), "8:1007"),
    ("a close frame with half a code", Wire.frame(Wire.close, [3]), "8:1002"),
    ("a close frame with a code that may not be sent", Wire.closing(1_005), "8:1002"),
    ("a close frame with a code of nobody", Wire.closing(999), "8:1002"),
    ("a close frame whose reason is no UTF-8", Wire.frame(Wire.close, [3, 232, 0xFF]), "8:1007"),
    ("a message that is too long", Wire.frame(Wire.binary, [UInt8](repeating: 1, count: 1_001)), "8:1009"),
    (
      "a message whose frames are too long together",
      Wire.frame(Wire.binary, [UInt8](repeating: 1, count: 600), isLast: false)
        + Wire.frame(0, [UInt8](repeating: 1, count: 600)), "8:1009"
    ),
    ("a length that is not the shortest", [0x82, 0x80 | 126, 0, 1, 0, 0, 0, 0, 1], "8:"),
    ("a length of 64 bits with the first set", [0x82, 0xFF] + [UInt8](repeating: 0xFF, count: 12), "8:"),
  ]

  /// What a session makes of reads, and what it answers.
  private func run(_ pieces: [[UInt8]], messageBytesMax: Int = 1_000) -> (
    events: [WebSocketSession.Event], sent: [String]
  ) {
    let session = WebSocketSession(messageBytesMax: messageBytesMax)
    var events: [WebSocketSession.Event] = []
    for piece in pieces {
      session.receive(piece.span.bytes)
      events += session.takeEvents()
    }
    return (events, Wire.read(session.output))
  }

  private static let conversation =
    Wire.frame("hi") + Wire.frame(Wire.text, Array(message[..<101]), isLast: false) + Wire.frame(Wire.ping, [7])
    + Wire.frame(0, [], isLast: false) + Wire.frame(0, Array(message[101...])) + Wire.frame(Wire.binary, [0, 255])
    + Wire.frame(Wire.pong) + Wire.closing(1_001, "bye") + Wire.frame("late")

  @Test func `messages come whole, whatever their frames, with pings in between`() {
    let whole = run([Self.conversation])
    #expect(
      whole.events == [
        .message(.text("hi")), .message(.text(String(repeating: "é", count: 100))), .message(.binary([0, 255])),
        .closed(code: 1_001, reason: "bye"),
      ])
    // A ping before a close frame may go unanswered (RFC 6455 section 5.5.2).
    #expect(whole.sent.last == "8:1001bye")
    for cut in 1..<Self.conversation.count {
      let parts = run([Array(Self.conversation[..<cut]), Array(Self.conversation[cut...])])
      #expect(parts.events == whole.events && parts.sent.last == whole.sent.last, "cut at \(cut)")
      let truncated = run([Array(Self.conversation[..<cut])])
      #expect(truncated.events == Array(whole.events.prefix(truncated.events.count)))
    }
  }

  @Test(arguments: ["*\u{99}", "tschüß", "", "é", "до свидания", String(repeating: "ж", count: 61)])
  func `a reason that comes in pieces is read as it is`(reason: String) {
    // A fragment before it, and what follows.
    let bytes = Wire.frame(Wire.text, [], isLast: false) + Wire.closing(4_350, reason)
    let whole = run([bytes + Wire.frame("late")])
    #expect(whole.events == [.closed(code: 4_350, reason: reason)] && whole.sent == ["8:4350\(reason)"])
    let single = run(bytes.map { [$0] })
    #expect(single.events == whole.events && single.sent == whole.sent)
    for cut in 1..<bytes.count {
      let parts = run([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(parts.events == whole.events && parts.sent == whole.sent, "cut at \(cut)")
      #expect(run([Array(bytes[..<cut])]).events.isEmpty, "cut at \(cut)")
    }
  }

  @Test(arguments: wrong)
  func `what is wrong ends the conversation`(name: String, bytes: [UInt8], sent: String) {
    let whole = run([bytes + Wire.frame("after")])
    #expect(whole.sent == [sent], "\(name)")
    #expect(!whole.events.contains(.message(.text("after"))), "\(name)")
    for cut in 1..<bytes.count { #expect(run([Array(bytes[..<cut]), Array(bytes[cut...])]).sent == [sent], "\(name)") }
  }

  @Test func `a good close is answered with its code, and nothing can be sent after it`() {
    let session = WebSocketSession(messageBytesMax: 10)
    let bytes = Wire.frame(Wire.close)
    session.receive(bytes.span.bytes)
    #expect(session.takeEvents() == [.closed(code: 1_005, reason: "")])
    session.send(.text("x"))
    session.close(code: 1_000, reason: "")
    #expect(Wire.read(session.output) == ["8:"] && !session.isOpen && session.hasReceivedClose)
  }

  @Test func `messages go out in frames of the shortest length`() {
    let session = WebSocketSession(messageBytesMax: 10)
    for count in [0, 125, 126, 65_535, 65_536] {
      session.send(.binary([UInt8](repeating: 0x61, count: count)))
      #expect(Wire.read(session.output) == ["2:" + String(repeating: "a", count: count)])
      session.output = []
    }
    session.close(code: 1_000, reason: String(repeating: "ж", count: 100))
    #expect(Wire.read(session.output) == ["8:1000" + String(repeating: "ж", count: 61)])
  }

  @Test func `many empty frames hold nothing`() {
    let session = WebSocketSession(messageBytesMax: 10)
    let bytes =
      Wire.frame(Wire.text, [], isLast: false) + (0..<10_000).flatMap { _ in Wire.frame(0, [], isLast: false) }
    session.receive(bytes.span.bytes)
    #expect(session.takeEvents().isEmpty && session.output.isEmpty)
  }
}
