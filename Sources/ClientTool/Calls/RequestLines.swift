internal import EventLoop
internal import RPC

/// The requests of a call that takes a stream of them: a line of JSON for each.
// Confined to its event loop.
final class RequestLines: @unchecked Sendable {
  private var given: ArraySlice<[UInt8]> = []
  private let input: LineInput?

  /// The requests that `source` has; of what is typed or piped in when it says nothing.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when there is no such file, or a line is too long.
  init(_ source: RequestSource, loop: EventLoop, _ terminal: Terminal) throws(RPCError) {
    switch source {
    case .text(let text):
      given = text.split(separator: UInt8(ascii: "\n")).map(Array.init)[...]
      input = nil
    case .file(let path): input = try LineInput(loop: loop, path: path)
    case .lines, .unsaid:
      if terminal.isInputTyped { terminal.note("type requests, a line of JSON for each; Ctrl-D ends them") }
      input = LineInput(loop: loop, descriptor: terminal.input)
    }
  }

  /// The next request; nil behind the last one.
  ///
  /// - Throws: as ``LineInput/nextLine()``.
  func next() async throws -> [UInt8]? {
    if let next = given.popFirst() { return next }
    return try await input?.nextLine()
  }
}
