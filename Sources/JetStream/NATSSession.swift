internal import CNATS
internal import EventLoop

/// One connection of libnats, from the attempt to its loss; ``NATSConnection`` makes another after it.
///
/// libnats serves as a protocol engine. Its socket is read and written on the loop when it is ready, and messages are
/// taken from synchronous subscriptions without waiting, so none crosses a thread. Its own reconnecting stays off: it
/// connects with the connection's lock held, which would block the loop. What may block (connecting, flushing, closing)
/// runs on a thread made for it.
// Confined to its event loop; every entry checks it.
final class NATSSession: @unchecked Sendable {
  /// The library's connection on its way between threads.
  // The library locks its connections itself.
  struct Handle: @unchecked Sendable {
    let pointer: OpaquePointer
  }

  let loop: EventLoop
  private let owner: NATSConnection
  private let socket: NATSSocket
  private var watcher: DescriptorWatcher?
  private var handle: Handle?
  private var isClosing = false
  private var wantsWrite = false
  private var isFlushPlanned = false
  private var isWatchingWrites = false

  init(owner: NATSConnection) {
    loop = owner.loop
    self.owner = owner
    socket = NATSSocket(loop: owner.loop)
  }

  /// The library's connection while calls reach the broker.
  var connection: OpaquePointer? { isClosing ? nil : handle?.pointer }

  /// Begins to connect; the owner hears of the session's opening or end.
  func open() {
    loop.preconditionCurrent()
    socket.onChange = { [weak self] change in self?.socketChanged(change) }
    let (socket, options) = (socket, owner.options)
    runOnThread {
      let outcome = NATSLibrary.connect(options, socket: socket)
      self.loop.execute { self.attemptEnded(outcome) }
    }
  }

  private func attemptEnded(_ outcome: Result<Handle, NATSLibrary.Failure>) {
    switch outcome {
    case .failure(let failure):
      owner.sessionEnded(self, reason: failure.reason)
    case .success(let handle):
      self.handle = handle
      if isClosing { return end(reason: "closed while connecting") }
      do {
        watcher = try DescriptorWatcher(loop: loop, descriptor: socket.descriptor)
      } catch {
        return end(reason: error.description)
      }
      watchSocket()
      owner.sessionOpened(self)
    }
  }

  /// Ends the session in an orderly way: what is buffered goes out first, unless that takes longer than `patience`.
  func close(patience: Duration) async {
    loop.preconditionCurrent()
    isClosing = true
    guard let handle else { return }
    await onThread { natsConnection_FlushTimeout(handle.pointer, NATSLibrary.milliseconds(patience)) }
    end(reason: "closed")
  }

  private func end(reason: String) {
    guard let handle else { return }
    self.handle = nil
    watcher?.close()
    watcher = nil
    socket.close()
    let subscriptions = owner.subscriptionsEnded()
    runOnThread {
      for subscription in subscriptions { natsSubscription_Destroy(subscription.pointer) }
      natsConnection_Destroy(handle.pointer)
    }
    owner.sessionEnded(self, reason: reason)
  }

  private func onThread(_ work: @escaping @Sendable () -> Void) async {
    await withUnsafeContinuation { continuation in
      runOnThread {
        work()
        self.loop.execute { continuation.resume() }
      }
    }
  }
}

// MARK: - The socket

extension NATSSession {
  private func socketChanged(_ change: NATSSocket.Change) {
    loop.preconditionCurrent()
    switch change {
    case .hasBytesToWrite:
      wantsWrite = true
      planFlush()
    case .hasWrittenAll:
      wantsWrite = false
    case .isDetached:
      guard let handle else { return }
      end(reason: NATSLibrary.lastError(of: handle.pointer))
    }
  }

  /// What a turn published leaves in one write.
  private func planFlush() {
    if isFlushPlanned || isWatchingWrites { return }
    isFlushPlanned = true
    loop.atEndOfTurn {
      self.isFlushPlanned = false
      self.flush()
    }
  }

  private func flush() {
    // The library takes an empty write for a lost connection.
    guard wantsWrite, let handle else { return }
    natsConnection_ProcessWriteEvent(handle.pointer)
    if wantsWrite != isWatchingWrites { watchSocket() }
  }

  private func watchSocket() {
    guard let watcher else { return }
    isWatchingWrites = wantsWrite && !isFlushPlanned
    watcher.watch(isWatchingWrites ? [.readable, .writable] : .readable) { [unowned self] events in
      if events.contains(.writable), isWatchingWrites { flush() }
      guard events.contains(.readable), let handle else { return }
      natsConnection_ProcessReadEvent(handle.pointer)
      owner.drainSubscriptions()
    }
  }
}
