internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// Calls whose requests or responses are a stream.
extension LoadGenerator {
  private typealias Call = StreamingCall<RawMessage, DiscardedMessage>

  /// How a call ended that did not fail.
  enum Ending {
    case answered
    /// It was given up because the load ended.
    case cutOff
  }

  /// Makes a call, sends what the plan says, and takes all responses.
  func stream(by client: RPCClient) async throws -> Ending {
    let reference = MethodReference<RawMessage, DiscardedMessage>(
      id: method.id, name: method.fullName, isIdempotent: method.isIdempotent,
      requestIsStream: method.requestIsStream, responseIsStream: method.responseIsStream)
    guard method.requestIsStream else {
      return try await receive(client.stream(reference, RawMessage(requests.next()), options))
    }
    let call = client.stream(reference, nil, options)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.send(call) }
      let ending = try await receive(call)
      group.cancelAll()
      return ending
    }
  }

  private func send(_ call: Call) async throws {
    defer { call.finish() }
    for _ in 0..<plan.messagesPerCall where !isOver {
      let message = RawMessage(try requests.next())
      try await call.send(message)
      countSent(message.bytes.count)
    }
  }

  private func receive(_ call: Call) async throws -> Ending {
    guard method.responseIsStream else {
      _ = try await call.response()
      return .answered
    }
    for try await response in call {
      countReceived(response.size)
      // Requests that are a stream have an end of their own.
      if isOver, !method.requestIsStream { return .cutOff }
    }
    return .answered
  }

  private var isOver: Bool { loop.now.nanoseconds >= end }

  private func countSent(_ bytes: Int) {
    let now = loop.now.nanoseconds
    guard now >= measuredFrom else { return }
    result.sent.count += 1
    result.sent.bytes += bytes
    result.timeline.countMessage(at: now - measuredFrom)
  }

  private func countReceived(_ bytes: Int) {
    let now = loop.now.nanoseconds
    guard now >= measuredFrom else { return }
    result.received.count += 1
    result.received.bytes += bytes
    result.timeline.countMessage(at: now - measuredFrom)
  }
}
