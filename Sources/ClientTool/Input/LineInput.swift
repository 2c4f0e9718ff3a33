internal import EventLoop
internal import Glibc
internal import RPC

/// The lines of a file or a pipe, read while the loop goes on, and no faster than they are taken.
// Confined to its event loop; a thread reads one chunk at a time and hands it over.
final class LineInput: @unchecked Sendable {
  private static let chunkBytes = 64 * 1024

  private let loop: EventLoop
  private let descriptor: Int32
  private let isOwner: Bool
  private var splitter = LineSplitter()
  private var lines: ArraySlice<[UInt8]> = []
  private var isAtEnd = false
  private var reader: UnsafeContinuation<[UInt8], any Error>?

  /// The lines of an open descriptor, which stays open. Nothing is read yet.
  init(loop: EventLoop, descriptor: Int32) {
    self.loop = loop
    self.descriptor = descriptor
    isOwner = false
  }

  /// The lines of a file.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be opened.
  init(loop: EventLoop, path: String) throws(RPCError) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw RPCError(.invalidArgument, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
    self.loop = loop
    isOwner = true
  }

  deinit { if isOwner { close(descriptor) } }

  /// The next line that is not empty; nil at the end.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when a line is longer than ``LineSplitter/lineBytesMax``; `CancellationError`
  ///   when the task is cancelled, and then nothing more is to be read.
  func nextLine() async throws -> [UInt8]? {
    while lines.isEmpty, !isAtEnd {
      let chunk = try await nextChunk()
      if chunk.isEmpty {
        isAtEnd = true
        if let line = splitter.end() { lines = [line] }
      } else {
        try split(chunk)
      }
    }
    return lines.popFirst()
  }

  private func split(_ chunk: [UInt8]) throws(RPCError) {
    do throws(LineSplitter.LineTooLong) {
      lines = try splitter.append(chunk)[...]
    } catch {
      throw RPCError(.invalidArgument, "a line is longer than \(LineSplitter.lineBytesMax) bytes")
    }
  }

  private func nextChunk() async throws -> [UInt8] {
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
        reader = continuation
        let isReading = Detached.thread {
          let chunk = Self.readChunk(self.descriptor)
          self.loop.execute { self.chunkRead(chunk) }
        }
        precondition(isReading, "no thread can be made to read the input")
      }
    } onCancel: {
      loop.execute { self.stopReading() }
    }
  }

  private func chunkRead(_ chunk: [UInt8]) {
    reader?.resume(returning: chunk)
    reader = nil
  }

  private func stopReading() {
    reader?.resume(throwing: CancellationError())
    reader = nil
  }

  private static func readChunk(_ descriptor: Int32) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: chunkBytes) { buffer, count in
      var result = read(descriptor, buffer.baseAddress, buffer.count)
      while result < 0, errno == EINTR { result = read(descriptor, buffer.baseAddress, buffer.count) }
      count = max(0, result)
    }
  }
}
