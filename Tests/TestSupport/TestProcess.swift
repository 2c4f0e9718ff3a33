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
    pid = try ChildProcess.start("\(Self.buildFolder)/\(program)", arguments, output: log)
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
  package var exitStatus: Int32? { hasExited ? status.flatMap(ChildProcess.exitStatus) : nil }

  /// Where this build's programs are: beside the program that runs the tests.
  private static var buildFolder: String {
    URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
  }
}
