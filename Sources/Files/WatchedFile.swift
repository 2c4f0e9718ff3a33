/// What a file says, read again when it has changed; a content that cannot be used is told of, and what was read before
/// stays in force.
// Used on one event loop.
package final class WatchedFile<Value>: @unchecked Sendable {
  /// How often the file is looked at, at most.
  private let checkInterval: Duration = .seconds(1)

  /// Where it is.
  package let path: String
  private let bytesMax: Int
  private let parse: ([UInt8]) throws -> Value
  private let onChange: (Result<Value, any Error>) -> Void
  private var value: Value
  private var version: FileVersion?
  private var checked: ContinuousClock.Instant

  /// Reads the file for the first time.
  ///
  /// - Parameters:
  ///   - onChange: is told what a changed file says, or why it cannot be used.
  /// - Throws: ``FileError``, or what `parse` says of the content.
  package init(
    _ path: String, bytesMax: Int, now: ContinuousClock.Instant = .now,
    onChange: @escaping (Result<Value, any Error>) -> Void = { _ in }, parse: @escaping ([UInt8]) throws -> Value
  ) throws {
    self.path = path
    self.bytesMax = bytesMax
    self.parse = parse
    self.onChange = onChange
    version = FileVersion(path: path)
    value = try parse(try FileContent.read(path, bytesMax: bytesMax))
    checked = now
  }

  /// What the file says now.
  package func current(now: ContinuousClock.Instant = .now) -> Value {
    if let read = change(now: now) { onChange(read) }
    return value
  }

  /// What a file says that has changed since the last look, or why it cannot be used; nil when it has not changed.
  package func change(now: ContinuousClock.Instant = .now) -> Result<Value, any Error>? {
    guard now - checked >= checkInterval else { return nil }
    checked = now
    // Looked up before the file is read: what changes in between is read again the next time.
    let version = FileVersion(path: path)
    guard version != self.version else { return nil }
    self.version = version
    let read = Result { try parse(try FileContent.read(path, bytesMax: bytesMax)) }
    if case .success(let changed) = read { value = changed }
    return read
  }
}
