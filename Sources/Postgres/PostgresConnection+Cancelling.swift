internal import EventLoop

extension PostgresConnection {
  /// Where a connection is with stopping statements that nobody wants.
  struct Cancelling {
    /// Runs out when the statement that runs is to be stopped, or the request to stop it has taken too long.
    var timer: LoopTimer?
    /// Whether a request is on its way; it may stop anything that runs when it arrives.
    var isUnderWay = false
    /// The pipeline's progress when the last request left.
    var lastProgress = -1
  }

  /// What an abandoned statement may still take to end by itself: a request costs the server a process.
  private static let cancelGrace = Duration.milliseconds(10)
  /// When a request is repeated that changed nothing: it came between two steps of a statement, and was ignored.
  private static let cancelInterval = Duration.milliseconds(200)
  /// What a request may take; after that the server counts as gone.
  private static let cancelMax = Duration.seconds(5)

  /// The task that waits for `reply` was cancelled.
  ///
  /// What is queued is taken out; a read or a part of a transaction that was sent is abandoned; a commit under way goes on.
  func giveUp(_ reply: Reply, of segment: Segment) {
    switch segment.kind {
    case .independent where !segment.isSent:
      segment.replies.removeAll { $0 === reply }
      queuedReplyCount -= 1
      if segment.replies.isEmpty { queue.removeAll { $0 === segment } }
      reply.answer(.failure(.cancelled))
    case .independent: segment.abandon(reply)
    case .atomic where !segment.isSent: unqueue(segment)
    case .transaction(let state): giveUp(state, waitingIn: segment)
    case .atomic, .rollback, .preparation, .timeout: break
    }
    considerCancelling()
  }

  /// A transaction that has not sent its COMMIT will not: it can only be rolled back.
  private func giveUp(_ state: TransactionState, waitingIn segment: Segment) {
    if segment.isSent, segment.commits { return }
    state.failure = state.failure ?? .cancelled
    if !segment.isSent { unqueue(segment) }
    if let part = state.inFlight { part.replies.forEach(part.abandon) }
  }

  private func unqueue(_ segment: Segment) {
    queue.removeAll { $0 === segment }
    queuedReplyCount -= segment.replies.count
    segment.fail(.cancelled)
  }

  /// Whether the server works for nobody.
  private var isRunningAbandoned: Bool { script?.isAbandoned ?? pipeline.isRunningAbandoned }

  /// Looks whether the server works for nobody, and asks it to stop if it still does after a moment.
  func considerCancelling() {
    guard failure == nil, cancelling.timer == nil, isRunningAbandoned else { return }
    let progress = pipeline.progress
    let delay = progress == cancelling.lastProgress ? Self.cancelInterval : Self.cancelGrace
    cancelling.timer = loop.schedule(after: delay) {
      self.cancelling.timer = nil
      if self.pipeline.progress == progress, self.isRunningAbandoned {
        self.cancelRunning()
      } else {
        self.considerCancelling()
      }
    }
  }

  /// Asks the server to stop what runs now; nothing is sent meanwhile. At most one request is on its way.
  private func cancelRunning() {
    guard failure == nil, let request = CancelRequest(handle) else { return }
    cancelling.lastProgress = pipeline.progress
    let isOnItsWay = Detached.thread {
      request.send()
      self.loop.execute { self.cancelRequestTaken() }
    }
    guard isOnItsWay else { return considerCancelling() }
    pipeline.cancelRequested()
    statistics.cancels += 1
    cancelling.isUnderWay = true
    cancelling.timer = loop.schedule(after: Self.cancelMax) {
      self.lost(PostgresError(.connectionLost, "the server did not take a cancel request within \(Self.cancelMax)"))
    }
  }

  /// The server has signalled its process: the request can hit nothing that is sent from now on.
  private func cancelRequestTaken() {
    if failure != nil { return }
    cancelling.isUnderWay = false
    cancelling.timer?.cancel()
    cancelling.timer = nil
    considerCancelling()
    if !queue.isEmpty { scheduleFlush() }
  }
}
