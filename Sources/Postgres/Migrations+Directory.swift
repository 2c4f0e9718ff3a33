internal import Glibc

extension Migrations {
  /// Reads and checks the `.sql` files of a directory; blocks for as long as the disk takes.
  ///
  /// - Throws: `.migration` that names what cannot be read, or the file whose name or number is wrong.
  package init(directory: String) throws(PostgresError) {
    guard let stream = opendir(directory) else {
      throw PostgresError(.migration, "cannot open \(directory): \(Self.systemError)")
    }
    defer { closedir(stream) }
    var contents: [(name: String, text: String)] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) { String(cString: $0) }
      }
      guard name.hasSuffix(".sql") else { continue }
      guard contents.count < Self.filesMax else {
        throw PostgresError(.migration, "\(directory) has more than \(Self.filesMax) files")
      }
      contents.append((name, try Self.read("\(directory)/\(name)")))
    }
    try self.init(files: contents)
  }

  private static func read(_ path: String) throws(PostgresError) -> String {
    guard let file = fopen(path, "r") else { throw PostgresError(.migration, "cannot open \(path): \(systemError)") }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0 else { throw PostgresError(.migration, "cannot read \(path)") }
    guard count <= bytesMax else { throw PostgresError(.migration, "\(path) is larger than \(bytesMax) bytes") }
    guard let text = String(validating: bytes[..<count], as: UTF8.self), !text.utf8.contains(0) else {
      throw PostgresError(.migration, "\(path) is not UTF-8 text")
    }
    return text
  }

  private static var systemError: String { String(cString: strerror(errno)) }
}
