internal import EventLoop

// Confined to the event loop of its connection. Public for what is inlinable in its users.
/// The messages that one side sends on a call: those that must wait, for credit, for the socket or for a connection.
public final class OutboundMessages: @unchecked Sendable {
  /// A message that waits, and who waits for it to go out.
  struct Waiting {
    let number: Int
    let append: (inout [UInt8]) -> Void
    let sender: UnsafeContinuation<Void, any Error>
  }

  private let loop: EventLoop
  /// Whether the link is going to give the first message that waits its turn.
  var isInLine = false
  /// The call; 0 before it has one.
  private(set) var stream: UInt32 = 0
  private var link: StreamLink?
  private var waiting: [Waiting] = []
  private var lastNumber = 0
  /// Why nothing can be sent any more.
  private var failure: (any Error)?
  private var isEnding = false
  private var isEndSent = false
  /// Whether anything went out, so that the call cannot be made again elsewhere.
  private(set) var hasSent = false
  /// Since when messages wait; nil when none does.
  private var blockedSince: LoopInstant?
  private var blockedBefore: Duration = .zero

  init(loop: EventLoop) { self.loop = loop }

  /// Whether messages wait.
  var isBlocked: Bool { !waiting.isEmpty }

  /// Why no further message is taken; nil when one is.
  private var refusal: (any Error)? {
    failure ?? (isEnding ? RPCError(.failedPrecondition, "the stream of messages was finished already") : nil)
  }

  /// How long messages have waited in all.
  var blockedTime: Duration { blockedBefore + (blockedSince.map { loop.now - $0 } ?? .zero) }

  /// The call began as `stream` on a connection.
  func began(_ stream: UInt32, on link: StreamLink) {
    self.stream = stream
    self.link = link
    if isBlocked { link.wantsToSend(self) } else { sendEnd() }
  }

  /// The call was handed back by a connection that never saw it.
  func detach() {
    link = nil
    isInLine = false
    isEndSent = false
  }

  /// Sends a message if nothing stands in its way.
  ///
  /// - Returns: false when it must wait.
  /// - Throws: why the call takes no more messages.
  @usableFromInline
  func trySend(_ append: (inout [UInt8]) -> Void) throws -> Bool {
    loop.preconditionCurrent()
    if let refusal { throw refusal }
    guard !isBlocked, let link else { return false }
    guard try link.send(stream, append) else { return false }
    hasSent = true
    return true
  }

  /// Sends a message as soon as it may.
  @usableFromInline
  func send(_ append: @escaping (inout [UInt8]) -> Void) async throws {
    lastNumber += 1
    let number = lastNumber
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { (sender: UnsafeContinuation<Void, any Error>) in
        if let refusal { return sender.resume(throwing: refusal) }
        waiting.append(Waiting(number: number, append: append, sender: sender))
        blockedSince = blockedSince ?? loop.now
        link?.wantsToSend(self)
        if Task.isCancelled { loop.execute { self.stopWaiting(number) } }
      }
    } onCancel: {
      loop.execute { self.stopWaiting(number) }
    }
  }

  /// Sends no more messages, once those that wait have gone out.
  func finish() {
    isEnding = true
    if !isBlocked { sendEnd() }
  }

  /// Sends the first message that waits; the link has made sure that it may go.
  func sendFirst() {
    guard let first = waiting.first, let link else { return }
    removeFirst()
    do throws(RPCError) {
      try link.sendNow(stream, first.append)
      hasSent = true
      first.sender.resume()
    } catch {
      first.sender.resume(throwing: error)
    }
    if !isBlocked { sendEnd() }
  }

  /// The call takes no more messages.
  func fail(_ error: any Error) {
    if failure != nil { return }
    failure = error
    link = nil
    let waiting = waiting
    self.waiting = []
    noteUnblocked()
    for one in waiting { one.sender.resume(throwing: error) }
  }

  private func removeFirst() {
    waiting.removeFirst()
    if waiting.isEmpty { noteUnblocked() }
  }

  private func noteUnblocked() {
    if let blockedSince { blockedBefore += loop.now - blockedSince }
    blockedSince = nil
  }

  private func sendEnd() {
    guard isEnding, !isEndSent, failure == nil, let link else { return }
    isEndSent = true
    link.sendEnd(stream)
  }

  private func stopWaiting(_ number: Int) {
    guard let index = waiting.firstIndex(where: { $0.number == number }) else { return }
    let one = waiting.remove(at: index)
    one.sender.resume(throwing: CancellationError())
    if isBlocked { return }
    noteUnblocked()
    sendEnd()
  }
}
