internal import Glibc

/// Why a file cannot be read, in words that follow its name, such as `cannot be read: No such file or directory`.
package struct FileError: Error, Equatable, CustomStringConvertible {
  package let description: String
}

/// Reads files as a whole.
package enum FileContent {
  /// The bytes of a file of at most so many.
  package static func read(_ path: String, bytesMax: Int) throws(FileError) -> [UInt8] {
    guard let file = fopen(path, "r") else { throw failure() }
    defer { fclose(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: bytesMax + 1) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    guard ferror(file) == 0 else { throw failure() }
    guard bytes.count <= bytesMax else { throw FileError(description: "is larger than \(bytesMax) bytes") }
    return bytes
  }

  private static func failure() -> FileError {
    FileError(description: "cannot be read: \(String(cString: strerror(errno)))")
  }
}
