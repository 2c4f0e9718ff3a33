/// Counts what the bodies of all connections take together, so that no number of connections takes more than there is.
// Confined to its server's event loop.
final class HeldBytes: @unchecked Sendable {
  private let bytesMax: Int
  private(set) var count = 0

  /// Counts up to so many bytes.
  init(max bytesMax: Int) { self.bytesMax = bytesMax }

  /// Whether there is more than there may be: whoever sends more of a body is refused then.
  var isExceeded: Bool { count > bytesMax }

  /// So many more are held; fewer, when it is negative.
  func add(_ change: Int) { count += change }
}
