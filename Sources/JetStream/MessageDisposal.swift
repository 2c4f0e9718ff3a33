internal import CNATS
internal import EventLoop

/// Gives messages back to libnats, a turn's worth at a time.
///
/// The library frees messages on a thread of its own, which it wakes for each one that finds it asleep; so what a turn
/// leaves behind is handed over together.
// Confined to its event loop; every entry checks it.
final class MessageDisposal: @unchecked Sendable {
  private let loop: EventLoop
  private var left: [OpaquePointer] = []

  init(loop: EventLoop) { self.loop = loop }

  /// The message is not needed any more.
  func dispose(_ message: OpaquePointer) {
    guard loop.isCurrent else { return natsMsg_Destroy(message) }
    if left.isEmpty { loop.atEndOfTurn { self.giveBack() } }
    left.append(message)
  }

  private func giveBack() {
    for message in left { natsMsg_Destroy(message) }
    left.removeAll(keepingCapacity: true)
  }
}
