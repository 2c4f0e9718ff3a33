internal import CPQ

/// A request to stop what a session runs (PostgreSQL, section 55.2.8 "Canceling Requests in Progress").
///
/// libpq keeps the session's secret key to itself, and its own call blocks: it is for a thread of its own.
// libpq's object is not changed after it was made.
final class CancelRequest: @unchecked Sendable {
  private let request: OpaquePointer

  /// A request for the session of `handle`; nil when there is none.
  init?(_ handle: OpaquePointer) {
    guard let request = PQgetCancel(handle) else { return nil }
    self.request = request
  }

  deinit { PQfreeCancel(request) }

  /// Sends the request over a connection of its own, and returns when the server has signalled the session's process or
  /// could not be reached: what is sent to the session from then on is not stopped. Blocks.
  func send() {
    // The reason of a failure changes nothing: the statement's timeout stops it then.
    var reason = [CChar](repeating: 0, count: 256)
    PQcancel(request, &reason, Int32(reason.count))
  }
}
