/// Runs the jobs of tasks that prefer a loop, on that loop's thread.
package final class LoopTaskExecutor: TaskExecutor, Sendable {
  private let queue: WorkQueue

  init(queue: WorkQueue) { self.queue = queue }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.enqueue(.job(UnownedJob(job)))
  }
}
