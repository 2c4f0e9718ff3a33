internal import CUV

/// A libuv loop: one thread that runs everything of a process.
///
/// A turn of the loop is: wait for the operating system, run the callbacks of what happened, run the jobs they made
/// ready, then the closures registered with ``atEndOfTurn(_:)``. Writes, SQL and commits that a turn produced are
/// gathered until then, so the busier the loop, the larger its batches, with no fixed wait.
// What is mutable is confined to the loop's thread; `queue` takes work from any thread.
package final class EventLoop: @unchecked Sendable {
  /// Turns of jobs and end-of-turn closures before the operating system is asked again.
  private static let roundsMax = 16
  /// Bytes that one read takes from a socket.
  static let readBufferBytes = 64 * 1024

  let uv: UnsafeMutablePointer<uv_loop_t>
  let readBuffer: UnsafeMutableRawBufferPointer
  /// Where what a read brought is decrypted.
  let plaintextBuffer: UnsafeMutableRawBufferPointer
  private let wakeUp: UnsafeMutablePointer<uv_async_t>
  private let prepare: UnsafeMutablePointer<uv_prepare_t>
  private let check: UnsafeMutablePointer<uv_check_t>
  private let idle: UnsafeMutablePointer<uv_idle_t>
  private let queue: WorkQueue
  private var endOfTurn: [() -> Void] = []
  private var endOfTurnRunning: [() -> Void] = []
  private var isIdling = false
  var spareBuffers: [[UInt8]] = []
  /// Random numbers for whoever runs on the loop.
  package var random = RandomNumbers()
  /// Makes tasks run on this loop: `Task(executorPreference: loop.taskExecutor)`.
  package let taskExecutor: LoopTaskExecutor
  private var turnInstant: LoopInstant
  /// Whether the loop has asked the operating system since the clock was read, and may have slept there.
  private var mayHaveSlept = false

  /// A loop that does not run yet.
  package init() throws(IOError) {
    uv = .allocate(capacity: 1)
    wakeUp = .allocate(capacity: 1)
    prepare = .allocate(capacity: 1)
    check = .allocate(capacity: 1)
    idle = .allocate(capacity: 1)
    readBuffer = .allocate(byteCount: Self.readBufferBytes, alignment: 16)
    plaintextBuffer = .allocate(byteCount: Self.readBufferBytes, alignment: 16)
    queue = WorkQueue(wakeUp: wakeUp)
    taskExecutor = LoopTaskExecutor(queue: queue)
    turnInstant = LoopInstant(nanoseconds: uv_hrtime())
    try IOError.check(uv_loop_init(uv), "start an event loop")
    try IOError.check(uv_async_init(uv, wakeUp, nil), "start an event loop")
    uv_prepare_init(uv, prepare)
    uv_check_init(uv, check)
    uv_idle_init(uv, idle)
    let unowned = Unmanaged.passUnretained(self).toOpaque()
    prepare.pointee.data = unowned
    check.pointee.data = unowned
    uv_prepare_start(prepare) {
      let loop = EventLoop.of($0!.pointee.data)
      loop.runTurn()
      loop.mayHaveSlept = true
    }
    uv_check_start(check) { EventLoop.of($0!.pointee.data).runTurn() }
  }

  deinit {
    uv.deallocate()
    wakeUp.deallocate()
    prepare.deallocate()
    check.deallocate()
    idle.deallocate()
    readBuffer.deallocate()
    plaintextBuffer.deallocate()
  }

  /// Makes the calling thread the loop's, runs `body` on it as a task, and returns when `body` has.
  ///
  /// Everything still open on the loop is closed then. A loop runs once.
  package func run<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) throws -> Result {
    queue.adoptCallingThread()
    let outcome = Locked<Swift.Result<Result, any Error>?>(nil)
    Task(executorPreference: taskExecutor) {
      let result: Swift.Result<Result, any Error>
      do { result = .success(try await body()) } catch { result = .failure(error) }
      outcome.withLock { $0 = result }
      self.execute { uv_stop(self.uv) }
    }
    uv_run(uv, UV_RUN_DEFAULT)
    closeEverything()
    return try outcome.withLock { $0! }.get()
  }

  /// The loop's clock, read once a turn: when the first of its callbacks asks, else when its jobs begin.
  package var now: LoopInstant {
    if mayHaveSlept { readClock() }
    return turnInstant
  }

  private func readClock() {
    mayHaveSlept = false
    turnInstant = LoopInstant(nanoseconds: uv_hrtime())
  }

  /// Whether the calling thread is the loop's.
  package var isCurrent: Bool { queue.isCurrent }

  /// Stops the process when the calling thread is not the loop's: state of the loop was about to be touched from outside.
  package func preconditionCurrent() {
    precondition(isCurrent, "called off the event loop")
  }

  /// Runs `work` on the loop, soon; from any thread. Dropped when the loop has ended.
  package func execute(_ work: @escaping @Sendable () -> Void) {
    queue.enqueue(.closure(work))
  }

  /// Runs `work` once when the callbacks and jobs of this turn have run. Only on the loop.
  package func atEndOfTurn(_ work: @escaping () -> Void) {
    preconditionCurrent()
    endOfTurn.append(work)
  }

  /// Starts a task on the loop: it runs at once until it first suspends, and resumes on the loop ever after. Only on the loop.
  @discardableResult
  package func startTask(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    Task.immediate(executorPreference: taskExecutor) { await body() }
  }

  private static func of(_ data: UnsafeMutableRawPointer?) -> EventLoop {
    Unmanaged<EventLoop>.fromOpaque(data!).takeUnretainedValue()
  }

  private func runTurn() {
    readClock()
    let executor = taskExecutor.asUnownedTaskExecutor()
    var rounds = 0
    while rounds < Self.roundsMax, !queue.isEmpty || !endOfTurn.isEmpty {
      if queue.isEmpty { runEndOfTurn() } else { queue.runQueued(on: executor) }
      rounds += 1
    }
    if !endOfTurn.isEmpty { runEndOfTurn() }
    spinOrSleep()
  }

  private func runEndOfTurn() {
    swap(&endOfTurn, &endOfTurnRunning)
    for work in endOfTurnRunning { work() }
    endOfTurnRunning.removeAll(keepingCapacity: true)
  }

  /// Keeps the loop from sleeping in the operating system while work is left over.
  private func spinOrSleep() {
    let mustSpin = !queue.isEmpty || !endOfTurn.isEmpty
    if mustSpin == isIdling { return }
    isIdling = mustSpin
    if mustSpin { uv_idle_start(idle) { _ in } } else { uv_idle_stop(idle) }
  }

  private func closeEverything() {
    queue.close()
    uv_walk(
      uv,
      { handle, _ in
        guard let handle, uv_is_closing(handle) == 0 else { return }
        Handle.closeAtEnd(handle)
      }, nil)
    while uv_run(uv, UV_RUN_DEFAULT) != 0 {}
    uv_loop_close(uv)
  }
}
