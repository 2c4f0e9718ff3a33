internal import CNATS
internal import EventLoop
internal import Glibc

/// What libnats tells an external event loop about its socket, brought to ours.
///
/// The library calls from several threads with its connection locked, so nothing here calls back into it.
// `descriptor` is written before the connecting thread hands over; `onChange` is set before that thread starts.
final class NATSSocket: @unchecked Sendable {
  /// What the library wants or did.
  enum Change: Sendable {
    /// Its write buffer has become non-empty.
    case hasBytesToWrite
    /// Its write buffer is empty again, or gone.
    case hasWrittenAll
    /// The connection is over; nothing follows.
    case isDetached
  }

  private let loop: EventLoop
  /// Called on the loop.
  var onChange: (Change) -> Void = { _ in }
  /// A duplicate of the library's socket: it stays open, and its number ours, while the loop still watches it.
  private(set) var descriptor: Int32 = -1

  init(loop: EventLoop) { self.loop = loop }

  deinit { close() }

  /// Gives the duplicate back; the watcher must have been closed before.
  func close() {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Makes connections of `options` report here; the socket must outlive the connecting.
  func install(in options: OpaquePointer) -> natsStatus {
    natsOptions_SetEventLoop(
      options, Unmanaged.passUnretained(self).toOpaque(),
      { data, socket, _, descriptor in
        guard let data, let socket else { return NATS_INVALID_ARG }
        // Retained until the library detaches, which it does once for each time it attached.
        data.pointee = UnsafeMutableRawPointer(Unmanaged.passRetained(NATSSocket.at(socket)).toOpaque())
        return NATSSocket.at(socket).attach(descriptor)
      },
      { _, _ in NATS_OK },
      { socket, wanted in
        NATSSocket.at(socket).changed(wanted ? .hasBytesToWrite : .hasWrittenAll)
        return NATS_OK
      },
      { socket in
        NATSSocket.at(socket).detach()
        return NATS_OK
      })
  }

  private static func at(_ pointer: UnsafeMutableRawPointer?) -> NATSSocket {
    Unmanaged<NATSSocket>.fromOpaque(pointer!).takeUnretainedValue()
  }

  private func attach(_ socket: Int32) -> natsStatus {
    descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
    return descriptor < 0 ? NATS_SYS_ERROR : NATS_OK
  }

  private func changed(_ change: Change) {
    if loop.isCurrent { return onChange(change) }
    loop.execute { self.onChange(change) }
  }

  private func detach() {
    // Never at once: the library may be in the middle of a call that the loop made.
    loop.execute { self.onChange(.isDetached) }
    Unmanaged.passUnretained(self).release()
  }
}
