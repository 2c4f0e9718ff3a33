internal import EventLoop

/// A method of a server: what starts it, and what became of its calls.
// Confined to the event loop of its server.
final class ServerMethod: @unchecked Sendable {
  let id: UInt16
  /// Such as `gozon.orders.Orders/CreateOrder`.
  let name: String
  let definition: MethodDefinition
  /// The flags that a request of this method must have, beside metadata.
  let flags: FrameHeader.Flags
  var statistics = MethodStatistics()

  init(id: UInt16, name: String, _ definition: MethodDefinition) {
    self.id = id
    self.name = name
    self.definition = definition
    var flags: FrameHeader.Flags = []
    if definition.requestIsStream { flags.insert(.requestsStream) }
    if definition.responseIsStream { flags.insert(.responsesStream) }
    self.flags = flags
  }

  var isStreaming: Bool { !flags.isEmpty }

  /// What is wrong with a request of these flags; nil when nothing is.
  func shapeProblem(_ flags: FrameHeader.Flags) -> String? {
    let flags = flags.subtracting(.metadata)
    if flags == self.flags { return nil }
    func shape(_ flags: FrameHeader.Flags) -> String {
      "\(flags.contains(.requestsStream) ? "a stream of requests" : "one request")"
        + " and \(flags.contains(.responsesStream) ? "a stream of responses" : "one response")"
    }
    return "\(name) has \(shape(self.flags)), and was called with \(shape(flags)); see its reflection"
  }
}
