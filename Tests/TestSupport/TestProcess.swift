internal import Foundation
internal import Glibc

/// A program of this build, running as a process of its own.
// One test at a time uses it.
package final class TestProcess: @unchecked Sendable {
  /// What keeps a test from having its process.
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
    /// A failure of this description.
    package init(_ description: String) { self.description = description }
  }

  /// Where the process writes its log.
  package let log: String
  private let pid: pid_t
  private var status: Int32?

  /// Starts `program` with flags; what it says goes into a file of its own.
  package init(_ program: String, _ arguments: [String], folder: String) throws {
    log = "\(folder)/\(program)-\(UInt32.random(in: 0 ... .max)).log"
    let path = "\(Self.buildFolder)/\(program)"
    var words = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    // The threads of this process block signals, and a child would inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pid = pid_t()
    let code = posix_spawn(&pid, path, &actions, &attributes, &words, environ)
    guard code == 0 else { throw Failure("cannot start \(path): \(String(cString: strerror(code)))") }
    self.pid = pid
  }

  deinit { kill() }

  /// Ends the process as a crash would.
  package func kill() {
    guard !hasExited else { return }
    _ = Glibc.kill(pid, SIGKILL)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    self.status = status
  }

  /// Tells the process to end.
  package func terminate() {
    if !hasExited { _ = Glibc.kill(pid, SIGTERM) }
  }

  /// Whether the process is gone.
  package var hasExited: Bool {
    if status != nil { return true }
    var status: Int32 = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return false }
    self.status = status
    return true
  }

  /// The status that it exited with; nil when it runs, or a signal ended it.
  package var exitStatus: Int32? {
    guard hasExited, let status, status & 0x7F == 0 else { return nil }
    return status >> 8 & 0xFF
  }

  /// Where this build's programs are: beside the program that runs the tests.
  private static var buildFolder: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
  }
}
