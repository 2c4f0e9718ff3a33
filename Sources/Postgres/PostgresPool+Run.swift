internal import EventLoop

extension PostgresPool {
  /// What the server may be late with an answer, beyond the time a statement may run, before it counts as gone.
  private static let silenceGrace = Duration.seconds(5)
  private static let silenceCheckInterval = Duration.seconds(1)

  /// Keeps the connections up: makes them, and makes them again when they are lost.
  ///
  /// Returns after ``beginClosing()``, when everything that was sent is answered; or, when the task is cancelled, at
  /// once, and what is in flight fails.
  package func run() async {
    loop.preconditionCurrent()
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for slot in slots { group.addTask { await self.keepUp(slot) } }
        group.addTask { await self.watchForSilence() }
        await waitUntilClosing()
        // Ends the pauses and attempts to connect; connections that still work end by themselves.
        group.cancelAll()
      }
    } onCancel: {
      loop.execute { self.closeAll() }
    }
  }

  private func keepUp(_ slot: Slot) async {
    var delay = configuration.reconnectDelayMin
    while !isClosing {
      do {
        await serve(try await PostgresConnection.connect(loop: loop, configuration: configuration), in: slot)
        delay = configuration.reconnectDelayMin
      } catch {
        lastError = error
        delay = min(delay * 2, configuration.reconnectDelayMax)
      }
      if isClosing { return }
      // Between half and all of the delay, so that many clients of a restarted server do not come at once.
      try? await loop.sleep(for: delay * Double.random(in: 0.5...1))
    }
  }

  /// Finds connections whose server or network went silent without a word.
  private func watchForSilence() async {
    if configuration.statementMax == .zero { return }
    let limit = configuration.statementMax + Self.silenceGrace
    while !isClosing {
      try? await loop.sleep(for: Self.silenceCheckInterval)
      for slot in slots { slot.connection?.closeIfStalled(for: limit) }
    }
  }
}
