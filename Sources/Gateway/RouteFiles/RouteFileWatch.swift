package import EventLoop
internal import Files
package import Service

/// Keeps the routes of a file in force as the file says now. A file that is wrong is told of, and what was in force stays.
// Confined to its event loop.
package final class RouteFileWatch: @unchecked Sendable {
  private static let interval: Duration = .milliseconds(500)

  private let loop: EventLoop
  private let stopping: LoopSignal
  private let backends: Backends
  private let log: Log
  private let file: WatchedFile<RouteFile>
  /// What the file says while it asks for something that no service has; one that is on its way may have it.
  private var refused: RouteFile?

  /// Reads the file for the first time, and gives its routes to `backends`.
  ///
  /// - Throws: an error that says what is wrong with the file, and in which line.
  package init(_ path: String, backends: Backends, loop: EventLoop, log: Log) throws {
    self.loop = loop
    self.backends = backends
    self.log = log
    stopping = LoopSignal(loop: loop)
    do {
      file = try WatchedFile(path, bytesMax: RouteFile.bytesMax) { try RouteFile(parsing: $0) }
      try backends.check(file.current())
    } catch {
      throw RouteFileRefusal(description: "--routes: \(path): \(error)")
    }
    backends.use(file.current())
  }

  /// Lasts until ``beginGracefulShutdown()``, or until the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while (try? await self.loop.sleep(for: Self.interval)) != nil { self.look() }
      }
      await stopping.wait()
      group.cancelAll()
    }
  }

  /// Looks at the file no more.
  package func beginGracefulShutdown() { stopping.signal() }

  private func look() {
    if let read = file.change() { changed(read) }
    if let refused, (try? backends.check(refused)) != nil { take(refused) }
  }

  private func changed(_ read: Result<RouteFile, any Error>) {
    refused = nil
    do {
      let file = try read.get()
      refused = file
      try backends.check(file)
      take(file)
    } catch {
      log.error(
        "route file refused; the routes that it gave before stay", [.path: file.path, .reason: "\(error)"])
    }
  }

  private func take(_ routes: RouteFile) {
    refused = nil
    log.info("route file read again", [.path: file.path, .count: "\(routes.entries.count)"])
    backends.use(routes)
  }
}

/// Why a program cannot start with a route file.
struct RouteFileRefusal: Error, CustomStringConvertible {
  let description: String
}
