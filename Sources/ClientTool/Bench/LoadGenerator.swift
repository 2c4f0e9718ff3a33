internal import EventLoop
internal import RPC

/// Makes calls of one method as a plan says, and measures them.
// Confined to its event loop.
final class LoadGenerator: @unchecked Sendable {
  private let loop: EventLoop
  private let plan: LoadPlan
  private let clients: [RPCClient]
  private let method: UInt16
  private let payload: [UInt8]
  private let options: CallOptions
  private var result = LoadResult()

  /// A load of `method` with always the same request.
  init(loop: EventLoop, plan: LoadPlan, clients: [RPCClient], method: UInt16, payload: [UInt8]) {
    self.loop = loop
    self.plan = plan
    self.clients = clients
    self.method = method
    self.payload = payload
    options = CallOptions(timeout: plan.timeout)
  }

  /// Loads for the time of the plan, and waits for the answers.
  func run() async -> LoadResult {
    let start = LoopInstant.current.nanoseconds
    let end = start + UInt64(plan.duration.nanoseconds)
    switch plan.pace {
    case .closed(let callers): await runClosed(callers, until: end)
    case .open(let rate, let inFlightMax): await runOpen(rate, inFlightMax, from: start, until: end)
    }
    result.elapsed = .nanoseconds(Int64(LoopInstant.current.nanoseconds - start))
    return result
  }

  private func runClosed(_ callers: Int, until end: UInt64) async {
    await withDiscardingTaskGroup { group in
      for caller in 0..<callers {
        let client = clients[caller % clients.count]
        group.addTask {
          var now = LoopInstant.current.nanoseconds
          while now < end { now = await self.call(client, due: now) }
        }
      }
    }
  }

  /// Each caller takes the next call that is due, and waits while none is: the rate does not follow the answers as long
  /// as a caller is free.
  private func runOpen(_ rate: Int, _ inFlightMax: Int, from start: UInt64, until end: UInt64) async {
    let schedule = OpenSchedule(callsPerSecond: rate, start: start, end: end)
    let pacer = Pacer(loop: loop, schedule: schedule)
    await withDiscardingTaskGroup { group in
      for caller in 0..<inFlightMax {
        let client = clients[caller % clients.count]
        group.addTask {
          while let due = await pacer.next() { _ = await self.call(client, due: due) }
        }
      }
    }
    result.neverBegun = pacer.close()
  }

  /// - Returns: the time of the answer.
  private func call(_ client: RPCClient, due: UInt64) async -> UInt64 {
    do {
      _ = try await client.call(method: method, payload: payload, options: options)
      let now = LoopInstant.current.nanoseconds
      result.latencies.record(nanoseconds: now - min(due, now))
      return now
    } catch {
      result.failures[RPCError(thrown: error).code, default: 0] += 1
      // A server that is gone fails calls at once: do not spin on it.
      try? await loop.sleep(for: .milliseconds(1))
      return LoopInstant.current.nanoseconds
    }
  }
}
