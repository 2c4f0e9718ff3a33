internal import Glibc

/// Starts programs.
///
/// Not by Foundation's `Process`: it learns of an exit by a socket that any child started at the same time inherits, and
/// waits for that child too.
enum ChildProcess {
  /// Starts `program` (a path, or a name to be found), and returns its id; what it says goes to the file `output`.
  ///
  /// It does not inherit the signals that our threads block.
  static func start(_ program: String, _ arguments: [String], output: String = "/dev/null") throws -> pid_t {
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      posix_spawn_file_actions_addopen(&actions, descriptor, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var blocked = sigset_t()
    sigemptyset(&blocked)
    posix_spawnattr_setsigmask(&attributes, &blocked)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var pid = pid_t()
    let code = posix_spawnp(&pid, program, &actions, &attributes, &words, environ)
    guard code == 0 else { throw TestProcess.Failure("cannot start \(program): \(String(cString: strerror(code)))") }
    return pid
  }

  /// Waits for the end of a process, and returns the status that it exited with; nil when a signal ended it.
  @discardableResult
  static func wait(_ pid: pid_t) -> Int32? {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    return exitStatus(status)
  }

  /// The exit status in what `waitpid` tells.
  static func exitStatus(_ status: Int32) -> Int32? { status & 0x7F == 0 ? status >> 8 & 0xFF : nil }
}
