package import EventLoop
internal import Files
package import Service

/// Keeps the routes of a file in force as the file says now. A file that is wrong is told of, and what was in force stays.
// Confined to its event loop.
package final class RouteFileWatch: @unchecked Sendable {
  private static let interval: Duration = .milliseconds(500)

  private let loop: EventLoop
  private let stopping: LoopSignal
  private let file: WatchedFile<RouteFile>

  /// Reads the file for the first time, and gives its routes to `backends`.
  ///
  /// - Throws: an error that says what is wrong with the file, and in which line.
  package init(_ path: String, backends: Backends, loop: EventLoop, log: Log) throws {
    self.loop = loop
    stopping = LoopSignal(loop: loop)
    do {
      file = try WatchedFile(
        path, bytesMax: RouteFile.bytesMax, onChange: { Self.changed(path, $0, backends, log) },
        parse: { bytes in
          let file = try RouteFile(parsing: bytes)
          try backends.check(file)
          return file
        })
    } catch {
      throw RouteFileRefusal(description: "--routes: \(path): \(error)")
    }
    backends.use(file.current())
  }

  /// Lasts until ``beginGracefulShutdown()``, or until the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        while (try? await self.loop.sleep(for: Self.interval)) != nil { _ = self.file.current() }
      }
      await stopping.wait()
      group.cancelAll()
    }
  }

  /// Looks at the file no more.
  package func beginGracefulShutdown() { stopping.signal() }

  private static func changed(_ path: String, _ read: Result<RouteFile, any Error>, _ backends: Backends, _ log: Log) {
    switch read {
    case .success(let file):
      log.info("route file read again", [.path: path, .count: "\(file.entries.count)"])
      backends.use(file)
    case .failure(let error):
      log.error("route file refused; the routes that it gave before stay", [.path: path, .reason: "\(error)"])
    }
  }
}

/// Why a program cannot start with a route file.
struct RouteFileRefusal: Error, CustomStringConvertible {
  let description: String
}
