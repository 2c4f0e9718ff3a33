internal import Glibc

/// What the system knows of this process, under the names that Prometheus' own clients give it.
enum ProcessFigures {
  /// The figures now; what cannot be read is left out (proc(5)).
  static var metrics: [Metric] {
    var metrics = [
      Metric.process("cpu_seconds_total", .counter, "Processor time that was used, by user and system.", cpuSeconds)
    ]
    if let pages = text("/proc/self/statm").flatMap({ $0.split(separator: " ").compactMap { Double($0) } }),
      pages.count > 1
    {
      let size = Double(sysconf(Int32(_SC_PAGESIZE)))
      metrics.append(.process("virtual_memory_bytes", .gauge, "Addresses in use.", pages[0] * size))
      metrics.append(.process("resident_memory_bytes", .gauge, "Memory in use.", pages[1] * size))
    }
    if let count = openFileCount {
      metrics.append(.process("open_fds", .gauge, "Open file descriptors.", Double(count)))
    }
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      metrics.append(.process("max_fds", .gauge, "File descriptors that may be open.", Double(limit.rlim_cur)))
    }
    if let startSeconds {
      metrics.append(
        .process("start_time_seconds", .gauge, "When it was started, in seconds since 1970.", startSeconds))
    }
    return metrics
  }

  private static var cpuSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static var openFileCount: Int? {
    guard let directory = opendir("/proc/self/fd") else { return nil }
    defer { closedir(directory) }
    var count = 0
    while readdir(directory) != nil { count += 1 }
    // Without `.`, `..` and the directory that is read.
    return count - 3
  }

  /// The start of the machine and how much later the process began.
  private static let startSeconds: Double? = {
    // The name before may have blanks in it, and ends with the last bracket. The start is the 22nd field.
    guard let status = text("/proc/self/stat"), let bracket = status.lastIndex(of: ")"),
      let ticks = status[bracket...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) }),
      let boot = text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
      let bootSeconds = Double(boot.dropFirst(6))
    else { return nil }
    return bootSeconds + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }()

  /// The first 64 KB of a file.
  private static func text(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
