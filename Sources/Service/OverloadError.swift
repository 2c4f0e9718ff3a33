/// Something took no more work because enough waits already, or waits for too long.
package protocol OverloadError: Error {
  /// How many items wait.
  var waiting: Int { get }
  /// When it may be worth to come again.
  var retryAfter: Duration { get }
}

/// The queue of a ``Batcher`` is full, or does not move; nothing was done.
package struct Overloaded: OverloadError {
  package let waiting: Int
  package let retryAfter: Duration
}
