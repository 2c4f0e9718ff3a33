@testable import Gateway
import HTTP
import Testing

@Suite struct StreamFormTests {
  private static func form(_ fields: (String, String)...) throws -> StreamForm {
    try StreamForm(try HTTPRequest(.get, "/", fields: fields))
  }

  @Test func `Accept and Upgrade choose the form`() throws {
    #expect(try Self.form() == .events)
    for accept in ["*/*", "text/*", "text/event-stream", "application/x-ndjson;q=0.5, */*", "TEXT/EVENT-STREAM;q=0.1"] {
      #expect(try Self.form(("Accept", accept)) == .events, "\(accept)")
    }
    for accept in [
      "application/x-ndjson", "application/*", "text/event-stream;q=0.5, application/x-ndjson;q=0.6",
      "*/*, text/event-stream;q=0",
    ] {
      #expect(try Self.form(("Accept", accept)) == .lines, "\(accept)")
    }
    #expect(try Self.form(("Upgrade", "WebSocket"), ("Accept", "text/html")) == .webSocket)
    for accept in ["text/html", "application/json", "text/event-stream;q=0"] {
      #expect(throws: Problem.self) { try Self.form(("Accept", accept)) }
    }
  }

  private static func text(_ form: StreamForm, _ json: String, cursor: String = "") -> String {
    var bytes: [UInt8] = []
    form.append(Array(json.utf8), cursor: cursor, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func `messages are framed as each form has it`() {
    #expect(Self.text(.events, "{}", cursor: "c1") == "id: c1\ndata: {}\n\n")
    #expect(Self.text(.events, "{}") == "data: {}\n\n")
    #expect(Self.text(.lines, "{}", cursor: "c1") == "{}\n")
    #expect(StreamForm.lines.failure("{}") == "{\"error\":{}}\n")
    #expect(StreamForm.events.failure("{}") == "event: error\ndata: {}\n\n")
  }

  @Test(arguments: ["a\nb", "a\rb", "a\0b", "ä"])
  func `a cursor that would break its line is left out`(cursor: String) {
    #expect(Self.text(.events, "{}", cursor: cursor) == "data: {}\n\n")
  }
}
