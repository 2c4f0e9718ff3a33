import Glibc

/// Reads and writes whole text files.
enum TextFile {
  /// The names in a directory, sorted.
  static func names(in directory: String) throws(CompilerError) -> [String] {
    guard let stream = opendir(directory) else { throw failure("read", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        names.append(String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
      }
    }
    return names.sorted()
  }

  /// The text of a file of at most so many bytes.
  static func read(_ path: String, sizeMax: Int) throws(CompilerError) -> String {
    guard let file = fopen(path, "r") else { throw failure("read", path) }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: sizeMax + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0 else { throw failure("read", path) }
    guard count <= sizeMax else { throw CompilerError("\(path) is larger than \(sizeMax) bytes") }
    guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
      throw CompilerError("\(path) is not valid UTF-8")
    }
    return text
  }

  /// Writes a file, replacing what is there.
  static func write(_ text: String, to path: String) throws(CompilerError) {
    guard let file = fopen(path, "w") else { throw failure("write", path) }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw failure("write", path) }
  }

  private static func failure(_ verb: String, _ path: String) -> CompilerError {
    CompilerError("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}
