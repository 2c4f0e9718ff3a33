package import EventLoop

/// A connection of one pool or several, and whether the server behind it serves.
// Confined to its event loop.
package final class PoolMember: @unchecked Sendable {
  /// How long a watch of health that ended is not begun again.
  private static let watchPause: Duration = .seconds(1)

  /// The connection.
  package let connection: any PoolConnection
  /// Whether the server says that it serves; false as long as it has not said so.
  package private(set) var isServing: Bool
  private let loop: EventLoop
  private let watchesHealth: Bool
  private let connectionChanged: LoopSignal
  private var observers: [() -> Void] = []

  /// The server at the other end of `connection`; one whose health is not watched is taken to serve.
  package init(loop: EventLoop, connection: any PoolConnection, watchesHealth: Bool = true) {
    self.loop = loop
    self.connection = connection
    self.watchesHealth = watchesHealth
    isServing = !watchesHealth
    connectionChanged = LoopSignal(loop: loop)
    connection.onStateChange = { [weak self] in self?.stateChanged() }
  }

  /// Has `observer` told whenever the state of the connection or of the server changes, until ``run()`` has ended.
  package func observe(_ observer: @escaping () -> Void) { observers.append(observer) }

  /// Keeps connected, and watches the server's health, until the task is cancelled.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.connection.run() }
      if watchesHealth { group.addTask { await self.watchHealth() } }
    }
    observers = []
  }

  private func stateChanged() {
    if watchesHealth, connection.state != .ready { isServing = false }
    connectionChanged.signal()
    for observer in observers { observer() }
  }

  private func healthChanged(isServing: Bool) {
    if self.isServing == isServing { return }
    self.isServing = isServing
    for observer in observers { observer() }
  }

  private func watchHealth() async {
    while !Task.isCancelled {
      guard connection.state == .ready else {
        await connectionChanged.wait()
        continue
      }
      do {
        for try await health in ServerClient(connection).watchHealth(WatchHealthRequest()) {
          healthChanged(isServing: health.status == .serving)
        }
      } catch let error as RPCError where error.code == .unimplemented {
        healthChanged(isServing: true)
        await connectionChanged.wait()
      } catch {
        // The watch begins again as long as there is a connection for it.
      }
      if connection.state == .ready { try? await loop.sleep(for: Self.watchPause) }
    }
  }
}
