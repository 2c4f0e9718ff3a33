internal import CUV
internal import Synchronization

/// What waits to run on a loop's thread: jobs of tasks, and closures.
///
/// Work that the loop's own thread adds goes to a plain array; work of other threads takes a lock, and wakes the loop
/// once for each burst.
// `local` is only touched on the loop's thread; `remote` is locked; the wake-up handle may be used from any thread.
final class WorkQueue: @unchecked Sendable {
  enum Work {
    case job(UnownedJob)
    case closure(@Sendable () -> Void)
  }

  private struct Remote {
    var work: [Work] = []
    var isClosed = false
  }

  private let thread = Atomic<UInt>(0)
  private let hasRemote = Atomic<Bool>(false)
  private let remote = Locked(Remote())
  private let wakeUp: UnsafeMutablePointer<uv_async_t>
  private var local: [Work] = []
  private var running: [Work] = []

  /// A queue that wakes its loop by `wakeUp`.
  init(wakeUp: UnsafeMutablePointer<uv_async_t>) { self.wakeUp = wakeUp }

  /// Whether the calling thread is the loop's.
  var isCurrent: Bool { thread.load(ordering: .relaxed) == Self.callingThread }

  var isEmpty: Bool { local.isEmpty && !hasRemote.load(ordering: .acquiring) }

  /// Makes the calling thread the loop's.
  func adoptCallingThread() { thread.store(Self.callingThread, ordering: .relaxed) }

  func enqueue(_ work: Work) {
    if isCurrent {
      local.append(work)
      return
    }
    remote.withLock { remote in
      if remote.isClosed { return }
      remote.work.append(work)
      if remote.work.count == 1 {
        hasRemote.store(true, ordering: .releasing)
        uv_async_send(wakeUp)
      }
    }
  }

  /// Runs what is queued now; what that adds waits for the next call.
  func runQueued(on executor: UnownedTaskExecutor) {
    if hasRemote.load(ordering: .acquiring) {
      let arrived = remote.withLock { remote in
        hasRemote.store(false, ordering: .relaxed)
        defer { remote.work = [] }
        return remote.work
      }
      local.append(contentsOf: arrived)
    }
    swap(&local, &running)
    for work in running {
      switch work {
      case .job(let job): job.runSynchronously(on: executor)
      case .closure(let body): body()
      }
    }
    running.removeAll(keepingCapacity: true)
  }

  /// Refuses work of other threads from now on: the loop is about to end.
  func close() {
    remote.withLock { $0.isClosed = true }
  }

  private static var callingThread: UInt { UInt(uv_thread_self()) }
}
