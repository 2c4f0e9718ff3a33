internal import EventLoop
internal import Glibc

/// The lines of standard input, read while the loop goes on.
// Confined to its event loop; a thread reads one chunk at a time and hands it over.
final class StandardInput: @unchecked Sendable {
  private static let chunkBytes = 64 * 1024

  private let loop: EventLoop
  private var splitter = LineSplitter()
  private var lines: ArraySlice<[UInt8]> = []
  private var isAtEnd = false

  /// Nothing is read yet.
  init(loop: EventLoop) { self.loop = loop }

  /// Whether something is piped or redirected into the tool, so that it makes sense to read it unasked.
  static var isPiped: Bool {
    var status = stat()
    guard fstat(0, &status) == 0 else { return false }
    return [S_IFIFO, S_IFREG, S_IFSOCK].contains(status.st_mode & S_IFMT)
  }

  /// The next line that is not empty; nil at the end.
  func nextLine() async throws(LineSplitter.LineTooLong) -> [UInt8]? {
    while lines.isEmpty, !isAtEnd {
      let chunk = await nextChunk()
      if chunk.isEmpty {
        isAtEnd = true
        if let line = splitter.end() { lines = [line] }
      } else {
        lines = try splitter.append(chunk)[...]
      }
    }
    return lines.popFirst()
  }

  private func nextChunk() async -> [UInt8] {
    await withUnsafeContinuation { continuation in
      let isReading = Detached.thread {
        let chunk = Self.readChunk()
        self.loop.execute { continuation.resume(returning: chunk) }
      }
      precondition(isReading, "no thread can be made to read standard input")
    }
  }

  private static func readChunk() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
      var result = read(0, buffer.baseAddress, buffer.count)
      while result < 0, errno == EINTR { result = read(0, buffer.baseAddress, buffer.count) }
      count = max(0, result)
    }
  }
}
