import JSON
import Testing

@testable import JetStream

@Suite struct PublishAckTests {
  private func parse(_ text: String) throws -> PublishAck { try PublishAck(parsing: text.utf8.span) }

  @Test func `acknowledgements`() throws {
    #expect(
      try parse(#"{"stream":"ORDERS","seq":7}"#)
        == PublishAck(stream: "ORDERS", sequence: 7, isDuplicate: false))
    #expect(
      try parse(#"{"stream":"ORDERS", "domain":"hub", "seq":7,"duplicate": true}"#)
        == PublishAck(stream: "ORDERS", sequence: 7, isDuplicate: true))
  }

  @Test(arguments: [
    (404, JetStreamError.Code.notFound), (400, .rejected), (503, .unavailable), (408, .timeout), (429, .overloaded),
    (500, .rejected),
  ])
  func `a refusal is an error that keeps the broker's words for logs`(code: Int, expected: JetStreamError.Code) {
    let answer = #"{"error":{"code":\#(code),"err_code":10077,"description":"maximum messages exceeded"},"seq":0}"#
    let error = #expect(throws: JetStreamError.self) { try parse(answer) }
    #expect(error?.code == expected)
    #expect(error?.brokerCode == 10077)
    #expect(error?.description == "JetStream did not store a message")
    #expect(String(reflecting: error).contains("maximum messages exceeded"))
  }

  @Test(arguments: ["", "{}", #"{"stream":"A"}"#, #"{"stream":"A","seq":-1}"#, #"{"stream":1,"seq":1}"#, "+OK"])
  func `what is none is a violation`(answer: String) {
    let error = #expect(throws: JetStreamError.self) { try parse(answer) }
    #expect(error?.code == .protocolViolation)
  }
}

@Suite struct MessageHeadersTests {
  private func parse(_ block: [UInt8]) throws -> MessageHeaders { try MessageHeaders(parsing: block.span) }

  @Test func `a stored block is read`() throws {
    let block = "NATS/1.0\r\nNats-Msg-Id: 42\r\ntraceparent:00-ab-cd-01 \r\nEmpty:\r\nUrl: http://x:1\r\n\r\n"
    let headers = try parse(Array(block.utf8))
    #expect(headers.entries.map(\.name) == ["Nats-Msg-Id", "traceparent", "Empty", "Url"])
    #expect(headers.entries.map(\.value) == ["42", "00-ab-cd-01", "", "http://x:1"])
    #expect(headers["traceparent"] == "00-ab-cd-01")
    #expect(headers["Traceparent"] == nil)
  }

  @Test func `every truncation is refused`() {
    let block = Array("NATS/1.0 100 Idle\r\na: b\r\n\r\n".utf8)
    #expect(throws: Never.self) { try parse(block) }
    for count in 0..<block.count {
      #expect(throws: JetStreamError.self) { try parse(Array(block[..<count])) }
    }
  }

  @Test(arguments: ["HTTP/1.1\r\n\r\n", "NATS/1.0\r\n: b\r\n\r\n", "NATS/1.0\r\nab\r\n\r\n", "NATS/1.0\r\n\r\nx"])
  func `what is malformed is refused`(block: String) {
    #expect(throws: JetStreamError.self) { try parse(Array(block.utf8)) }
  }

  @Test(arguments: [("", "x"), ("a b", "x"), ("a:", "x"), ("a", "x\r\ny"), ("a", "x\ny"), ("é", "x"), ("a", "\u{0}")])
  func `what would break the framing is not sent`(name: String, value: String) {
    var headers: MessageHeaders = [:]
    headers.append(name, value)
    #expect(throws: JetStreamError.self) { try headers.validate() }
  }
}

@Suite struct StoredMessageTests {
  @Test func `a stored message is read`() throws {
    let answer = try JSONValue(
      parsing: #"""
        {"type":"io.nats.jetstream.api.v1.stream_msg_get_response","message":{"subject":"orders.created.1","seq":9,
        "hdrs":"TkFUUy8xLjANCmE6IGINCg0K","data":"aGk=","time":"2026-01-02T03:04:05.678Z"}}
        """#.utf8.span)
    let message = try StoredMessage(answer)
    #expect(message.subject == "orders.created.1")
    #expect(message.sequence == 9)
    #expect(message.headers["a"] == "b")
    #expect(message.payload == Array("hi".utf8))
    #expect(throws: JetStreamError.self) { try StoredMessage(["message": ["subject": "x"]]) }
  }
}
