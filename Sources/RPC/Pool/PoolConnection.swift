/// A connection to one server that comes back by itself, as a pool uses it. All of it on the loop.
package protocol PoolConnection: CallChannel, AnyObject {
  /// The server, as `host:port`.
  var address: String { get }
  /// Whether calls can begin.
  var state: ConnectionState { get }
  /// Calls under way.
  var callCount: Int { get }
  /// Is told whenever ``state`` changes.
  var onStateChange: (() -> Void)? { get set }

  /// Begins a call when ``state`` is ready, and fails it otherwise.
  func begin(_ call: PendingCall)
  /// Tries to connect at once instead of after the rest of its wait.
  func connectNow()
  /// Keeps connected until the task is cancelled.
  func run() async
}
