internal import Glibc
internal import RPC

/// Reads and writes files as a whole, and lists directories.
enum WholeFile {
  /// The names in a directory, sorted, without those that begin with a dot.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be read.
  static func names(in directory: String) throws(RPCError) -> [String] {
    guard let stream = opendir(directory) else { throw failure("read", directory) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Whether there is a directory.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The bytes of a file of at most so many.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be read, or is larger.
  static func bytes(of path: String, sizeMax: Int) throws(RPCError) -> [UInt8] {
    guard let file = fopen(path, "r") else { throw failure("read", path) }
    defer { fclose(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: sizeMax + 1) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    guard ferror(file) == 0 else { throw failure("read", path) }
    guard bytes.count <= sizeMax else {
      throw RPCError(.invalidArgument, "\(path) is larger than \(sizeMax) bytes")
    }
    return bytes
  }

  /// The text of a file of at most so many bytes.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be read, is larger, or is no text.
  static func text(of path: String, sizeMax: Int) throws(RPCError) -> String {
    guard let text = String(validating: try bytes(of: path, sizeMax: sizeMax), as: UTF8.self) else {
      throw RPCError(.invalidArgument, "\(path) is not valid UTF-8")
    }
    return text
  }

  /// Writes a file, replacing what is there.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be written.
  static func write(_ text: String, to path: String) throws(RPCError) {
    guard let file = fopen(path, "w") else { throw failure("write", path) }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw failure("write", path) }
  }

  /// Writes a new file that nobody else may read.
  ///
  /// - Throws: ``RPCError`` ALREADY_EXISTS when there is one, INVALID_ARGUMENT when it cannot be written.
  static func writeSecret(_ text: String, to path: String) throws(RPCError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    if descriptor < 0, errno == EEXIST { throw RPCError(.alreadyExists, "\(path) is there already, and is kept") }
    guard descriptor >= 0, let file = fdopen(descriptor, "w") else { throw failure("write", path) }
    let bytes = Array(text.utf8)
    let written = fwrite(bytes, 1, bytes.count, file)
    guard fclose(file) == 0, written == bytes.count else { throw failure("write", path) }
  }

  /// Puts another file in the place of one, at once for all who read it; who may read it stays, and a new one is for
  /// its owner alone.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be written.
  static func replace(_ path: String, by text: String) throws(RPCError) {
    var status = stat()
    let mode = stat(path, &status) == 0 ? status.st_mode & 0o777 : 0o600
    let draft = "\(path).\(getpid())"
    unlink(draft)
    try writeSecret(text, to: draft)
    guard chmod(draft, mode) == 0, rename(draft, path) == 0 else {
      let error = failure("write", path)
      unlink(draft)
      throw error
    }
  }

  /// Whether there is a file, of any kind.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Makes sure that a file can be written, before anybody works for what goes into it. What is there stays.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot.
  static func checkWritable(_ path: String) throws(RPCError) {
    guard let file = fopen(path, "a") else { throw failure("write", path) }
    fclose(file)
  }

  /// Makes a directory, unless it is there.
  static func makeDirectory(_ path: String) throws(RPCError) {
    guard isDirectory(path) || mkdir(path, 0o755) == 0 else { throw failure("make", path) }
  }

  /// Removes a file.
  static func remove(_ path: String) throws(RPCError) {
    guard unlink(path) == 0 else { throw failure("remove", path) }
  }

  private static func failure(_ verb: String, _ path: String) -> RPCError {
    RPCError(.invalidArgument, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}
