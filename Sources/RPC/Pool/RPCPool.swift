package import EventLoop

/// Calls several servers that offer the same: each call goes to the less loaded of two that are connected and serve.
///
/// A call that a server provably never saw is made elsewhere; one that failed otherwise is made again where a repeat does
/// no harm, as the ``RetryPolicy`` says. A call waits for a connection while one is being made; when every server has
/// refused, only those wait on that ``CallOptions/waitsForReady``, and those that were handed back and are no streams.
// Confined to its event loop; every entry checks it.
package final class RPCPool: CallChannel, @unchecked Sendable {
  /// How a pool makes calls.
  package struct Options: Sendable {
    /// When a call is made again.
    package var retry = RetryPolicy()
    /// Are told of every call, in this order.
    package var interceptors: [any ClientInterceptor] = []
    /// Calls that wait for a connection at once; more fail with RESOURCE_EXHAUSTED.
    package var waitingMax = 8_192
    /// The usual options.
    package init() {}
  }

  /// How often servers are looked for out of turn, because the last connection was lost.
  private static let lookInterval: Duration = .milliseconds(100)

  let loop: EventLoop
  let retry: RetryPolicy
  let interceptors: [any ClientInterceptor]
  var budget: RetryBudget
  var counters = PoolStatistics()
  private let members: [PoolMember]
  private var balancer: Balancer
  private var waiting: CallQueue!
  private var nextLook = LoopInstant(nanoseconds: 0)

  /// A pool of `members`, which somebody runs: ``run()``, or who shares them between pools. It is there as long as they
  /// are.
  package init(loop: EventLoop, members: [PoolMember], options: Options = Options()) {
    loop.preconditionCurrent()
    self.loop = loop
    self.members = members
    retry = options.retry
    interceptors = options.interceptors
    budget = RetryBudget(tokensMax: options.retry.budgetTokensMax)
    balancer = Balancer(count: members.count)
    waiting = CallQueue(loop: loop, countMax: options.waitingMax) { [unowned self] _ in lastError }
    for (index, member) in members.enumerated() {
      memberChanged(index)
      member.observe { self.memberChanged(index) }
    }
  }

  /// A pool of the servers at `addresses`, of which each has so many connections.
  package convenience init(
    loop: EventLoop, addresses: [(host: String, port: Int)], connectionsPerAddress: Int = 1,
    client: RPCClient.Options = RPCClient.Options(), watchesHealth: Bool = true, options: Options = Options()
  ) {
    let clients = addresses.flatMap { host, port in
      (0..<connectionsPerAddress).map { _ in RPCClient(loop: loop, host: host, port: port, options: client) }
    }
    self.init(
      loop: loop, members: clients.map { PoolMember(loop: loop, connection: $0, watchesHealth: watchesHealth) },
      options: options)
  }

  /// Keeps every member connected until the task is cancelled; calls under way fail then.
  package func run() async {
    await withDiscardingTaskGroup { group in
      for member in members { group.addTask { await member.run() } }
    }
    waiting.fail(lastError) { _ in true }
  }

  /// Whether calls can begin at once.
  package var isReady: Bool { balancer.isReady }

  /// What the pool has done.
  package var statistics: PoolStatistics {
    var statistics = counters
    statistics.budgetTokens = budget.tokens
    return statistics
  }

  // MARK: Calls

  /// Gives an attempt its deadline and a connection.
  func start(_ call: PendingCall) {
    loop.preconditionCurrent()
    call.pool = self
    call.deadline = loop.now + call.options.timeout
    if Task.isCancelled { call.end(.givenUp) } else { place(call) }
  }

  /// Begins the call on a connection, or lets it wait for one, or fails it.
  func place(_ call: PendingCall) {
    if let picked = pick(avoiding: call.avoided) {
      call.member = picked
      members[picked].connection.begin(call)
    } else if call.waitsForReady || isConnecting {
      counters.queued += 1
      waiting.append(call)
    } else {
      call.end(lastError)
    }
  }

  private func pick(avoiding avoided: Int?) -> Int? {
    guard let (one, other) = balancer.draw(avoiding: avoided, now: loop.now) else { return nil }
    if one == other { return one }
    return balancer.choose(
      (one, members[one].connection.callCount), (other, members[other].connection.callCount))
  }

  /// The server that the call was sent to never saw it.
  func handedBack(_ call: PendingCall) {
    counters.moves += 1
    // A stream may have hours, and whoever reads it should learn that nobody is there.
    if !call.isStreaming { call.waitsForReady = true }
    place(call)
  }

  /// An attempt ended; nil for well.
  func attemptEnded(_ call: PendingCall, _ error: RPCError?) {
    if error == nil { budget.succeeded() }
    guard let member = call.member else { return }
    switch error?.code {
    case .unavailable: balancer.failed(member, now: loop.now)
    case .cancelled, .deadlineExceeded: break
    default: balancer.answered(member)
    }
  }

  /// Whether a call can be made at two servers.
  var hasAlternative: Bool { balancer.best.count > 1 }

  // MARK: Members

  private var isConnecting: Bool { members.contains { $0.connection.state == .connecting } }

  /// Why there is no connection.
  private var lastError: RPCError {
    members.lazy.compactMap(\.connection.state.problem).first
      ?? RPCError(.unavailable, "no server is connected yet", reason: "NOT_CONNECTED")
  }

  private func memberChanged(_ index: Int) {
    let (member, wasConnected) = (members[index], balancer.isConnected(index))
    let isConnected = member.connection.state == .ready
    balancer.stateChanged(index, isConnected: isConnected, isServing: member.isServing)
    if balancer.isReady { return placeWaiting() }
    if wasConnected { lookForServers(besides: index) }
    if !isConnecting { waiting.fail(lastError) { !$0.waitsForReady } }
  }

  private func placeWaiting() {
    for (call, since) in waiting.takeAll() {
      counters.queueTime += loop.now - since
      place(call)
    }
  }

  /// The last connection was lost: a server that was away until now may be back already, and is not to be missed for the
  /// rest of its wait.
  private func lookForServers(besides lost: Int) {
    if loop.now < nextLook { return }
    nextLook = loop.now + Self.lookInterval
    for (index, member) in members.enumerated() where index != lost { member.connection.connectNow() }
  }
}
