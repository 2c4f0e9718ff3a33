internal import EventLoop
internal import RPC
internal import Schema

/// Makes calls of one method as a plan says, and measures them.
// Confined to its event loop.
final class LoadGenerator: @unchecked Sendable {
  let loop: EventLoop
  let plan: LoadPlan
  let method: MethodDescriptor
  /// Whether there is one request and one response; of the descriptor, at hand for every call.
  private let isUnary: Bool
  private let methodID: UInt16
  let requests: LoadRequests
  let options: CallOptions
  private let clients: [RPCClient]
  var result = LoadResult()
  /// When measuring begins, and when the load ends, in nanoseconds.
  private(set) var (measuredFrom, end): (UInt64, UInt64) = (0, .max)
  /// Calls that a closed load may still begin, those of the warm-up not counted.
  private var callsLeft = Int.max
  private var pacer: Pacer?

  /// A load of `method` by `clients`, in turn.
  init(
    loop: EventLoop, plan: LoadPlan, clients: [RPCClient], method: MethodDescriptor, requests: LoadRequests
  ) {
    self.loop = loop
    self.plan = plan
    self.clients = clients
    self.method = method
    isUnary = method.isUnary
    methodID = method.id
    self.requests = requests
    options = CallOptions(timeout: plan.timeout)
  }

  /// Loads as long as the plan says, or until the task is cancelled, and waits for the answers.
  func run() async -> LoadResult {
    // The time of the loop's turn: messages are counted by it.
    let start = loop.now.nanoseconds
    measuredFrom = start + UInt64(plan.warmUp.nanoseconds)
    if case .duration(let duration) = plan.end { end = measuredFrom + UInt64(duration.nanoseconds) }
    if case .calls(let count) = plan.end { callsLeft = count }
    await withTaskCancellationHandler {
      switch plan.pace {
      case .closed(let callers): await runClosed(callers)
      case .open(let rate, let inFlightMax): await runOpen(rate, inFlightMax, from: start)
      }
    } onCancel: {
      loop.execute { self.stop() }
    }
    let now = LoopInstant.current.nanoseconds
    result.elapsed = .nanoseconds(Int64(now - min(measuredFrom, now)))
    result.isInterrupted = Task.isCancelled
    return result
  }

  private func runClosed(_ callers: Int) async {
    await withDiscardingTaskGroup { group in
      for caller in 0..<callers {
        let client = clients[caller % clients.count]
        group.addTask {
          var now = LoopInstant.current.nanoseconds
          while self.mayBegin(at: now) { now = await self.call(client, due: now) }
        }
      }
    }
  }

  /// Whether a caller of a closed load makes another call.
  private func mayBegin(at now: UInt64) -> Bool {
    guard now < end, callsLeft > 0 else { return false }
    if now >= measuredFrom { callsLeft -= 1 }
    return true
  }

  /// Each caller takes the next call that is due, and waits while none is: the rate does not follow the answers as long
  /// as a caller is free.
  private func runOpen(_ rate: Int, _ inFlightMax: Int, from start: UInt64) async {
    var schedule = OpenSchedule(callsPerSecond: rate, start: start, end: end)
    if case .calls(let count) = plan.end { schedule.end(after: count, from: measuredFrom) }
    let pacer = Pacer(loop: loop, schedule: schedule)
    self.pacer = pacer
    await withDiscardingTaskGroup { group in
      for caller in 0..<inFlightMax {
        let client = clients[caller % clients.count]
        group.addTask {
          while let due = await pacer.next() { _ = await self.call(client, due: due) }
        }
      }
    }
    result.neverBegun += pacer.close(from: measuredFrom)
  }

  /// Begins no more calls.
  private func stop() {
    end = 0
    result.neverBegun += pacer?.close(from: measuredFrom) ?? 0
  }

  /// - Returns: the time of the answer.
  private func call(_ client: RPCClient, due: UInt64) async -> UInt64 {
    do {
      if isUnary {
        _ = try await client.call(method: methodID, payload: requests.next(), options: options)
      } else if try await stream(by: client) == .cutOff {
        result.cutOff += 1
        return LoopInstant.current.nanoseconds
      }
      let now = LoopInstant.current.nanoseconds
      if due >= measuredFrom { recordAnswer(due: due, now) }
      return now
    } catch {
      if Task.isCancelled { return .max }
      if due >= measuredFrom { recordFailure(RPCError(thrown: error).code) }
      // A server that is gone fails calls at once: do not spin on it.
      try? await loop.sleep(for: .milliseconds(1))
      return LoopInstant.current.nanoseconds
    }
  }

  private func recordAnswer(due: UInt64, _ now: UInt64) {
    result.latencies.record(nanoseconds: now - min(due, now))
    result.timeline.countCall(at: now - measuredFrom)
  }

  private func recordFailure(_ code: StatusCode) {
    result.failures[code, default: 0] += 1
    let now = LoopInstant.current.nanoseconds
    result.timeline.countFailure(at: now - min(measuredFrom, now))
  }
}
