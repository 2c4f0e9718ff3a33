internal import HTTP

/// How a stream of messages travels over HTTP; the client chooses by `Upgrade` and `Accept`.
enum StreamForm: Equatable {
  /// Server-sent events (HTML standard, section 9.2).
  case events
  /// A line of JSON for each message (NDJSON).
  case lines
  /// A text for each message (RFC 6455).
  case webSocket

  /// The form that a request asks for; events, if it does not care.
  ///
  /// - Throws: 406.
  init(_ request: HTTPRequest) throws(Problem) {
    if request.fields.list("upgrade")?.lowercased() == "websocket" {
      self = .webSocket
      return
    }
    let accept = request.fields.list("accept")
    let events = ContentNegotiation.weight(of: Self.events.contentType, in: accept)
    let lines = ContentNegotiation.weight(of: Self.lines.contentType, in: accept)
    guard max(events, lines) > 0 else {
      throw Problem(
        status: .notAcceptable, code: "INVALID_ARGUMENT",
        detail: "This stream comes as text/event-stream or application/x-ndjson, or by WebSocket.")
    }
    self = events >= lines ? .events : .lines
  }

  /// The media type of a body of this form.
  var contentType: String { self == .lines ? "application/x-ndjson" : "text/event-stream" }

  /// What a body begins with. A client of events comes back after a second when its stream ends.
  var beginning: String { self == .events ? "retry: 1000\n\n" : "" }

  /// What says that the stream is alive, to be ignored by whoever reads messages.
  var heartbeat: String { self == .events ? ":\n\n" : "\n" }

  /// What follows the last message: events need a word, for their clients take an end for a break.
  var end: String { self == .events ? "event: end\ndata: {}\n\n" : "" }

  /// What ends a body when something went wrong.
  func failure(_ problem: String) -> String {
    self == .events ? "event: error\ndata: \(problem)\n\n" : "{\"error\":\(problem)}\n"
  }

  /// Appends a message as a body of this form has it.
  func append(_ json: [UInt8], cursor: String, to body: inout [UInt8]) {
    if self == .events {
      // What is not in these characters would end the line, or the client's patience.
      if !cursor.isEmpty, cursor.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
        body.append(contentsOf: "id: \(cursor)\n".utf8)
      }
      body.append(contentsOf: "data: ".utf8)
    }
    body.append(contentsOf: json)
    body.append(contentsOf: (self == .events ? "\n\n" : "\n").utf8)
  }
}
