internal import EventLoop

/// Calls that are made at a second server when the first one is slow.
extension RPCPool {
  /// What happened to a hedged call.
  private enum Event<Output: Sendable>: Sendable {
    case answered(Output)
    case failed(RPCError)
    /// The first attempt has had its time.
    case waited
  }

  /// Makes a call, and makes it at another server too when there is no answer after `delay`, or when the first attempt
  /// failed before. The first answer wins, and the other attempt is given up. A hedge takes a token of the budget.
  func hedged<Output>(_ first: UnaryCall<Output>, after delay: Duration) async throws -> Output {
    let deadline = loop.now + first.options.timeout
    return try await withThrowingTaskGroup(of: Event<Output>.self) { group in
      defer { group.cancelAll() }
      group.addTask { await self.event(first) }
      group.addTask { [loop] in
        try? await loop.sleep(for: delay)
        return .waited
      }
      var (underWay, isHedged, lastError) = (1, false, RPCError.givenUp)
      while let event = try await group.next() {
        switch event {
        case .answered(let output): return output
        case .failed(let error):
          (underWay, lastError) = (underWay - 1, error)
          guard takesHedge(error) else { throw error }
        case .waited: break
        }
        if !isHedged, let second = hedge(first, deadline) {
          (isHedged, underWay) = (true, underWay + 1)
          group.addTask { await self.event(second) }
        } else if underWay == 0 {
          break
        }
      }
      throw lastError
    }
  }

  /// Whether another attempt may do better than the one that failed with `error`; takes the failure's token.
  private func takesHedge(_ error: RPCError) -> Bool {
    guard error.code == .unavailable, error.retryAfter == nil else { return false }
    budget.take()
    return true
  }

  /// The second attempt; nil when there is no server, no time or no budget for it.
  private func hedge<Output>(_ first: UnaryCall<Output>, _ deadline: LoopInstant) -> UnaryCall<Output>? {
    let timeLeft = deadline - loop.now
    guard hasAlternative, budget.allowsRepeat, timeLeft > .zero else { return nil }
    budget.take()
    counters.hedges += 1
    let second = first.another(first.options.again(attempt: 2, timeout: timeLeft))
    second.avoided = first.member
    return second
  }

  private func event<Output>(_ call: UnaryCall<Output>) async -> Event<Output> {
    do { return .answered(try await attempt(call)) } catch {
      return .failed(error as? RPCError ?? RPCError(.internal, "\(error)"))
    }
  }
}
