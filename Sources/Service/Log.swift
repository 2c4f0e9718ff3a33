internal import Glibc

/// Structured logging: one event a line on standard error, as JSON, or as text on a terminal.
package struct Log: Sendable {
  /// How much an event matters.
  package enum Level: Int, Comparable, Sendable {
    case debug
    case info
    case warning
    case error

    package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

    /// The level of that name.
    package init?(name: String) {
      guard let level = [Level.debug, .info, .warning, .error].first(where: { "\($0)" == name }) else { return nil }
      self = level
    }
  }

  /// What an event can be said of; every field of every log line is one of these.
  package enum Key: String, Sendable {
    case error
    case address
    case method
    case port
    case signal
    case count
    case stream
    case part
    case path
    case reason
    case version
    case attempt
    case sequence
    case traceID = "trace.id"
    case orderID = "order.id"
    case userID = "user.id"
    case requestID = "request.id"
  }

  private let service: String
  private let level: Level
  private let isText: Bool

  /// A log of `service` from `level` upwards; as text when asked for, or on a terminal when `format` is `auto`.
  package init(service: String, level: Level = .info, format: String = "auto") {
    self.service = service
    self.level = level
    isText = format == "text" || (format == "auto" && isatty(2) == 1)
  }

  /// The log that the common settings describe.
  package init(service: String, configuration: Configuration) {
    self.init(
      service: service, level: Level(name: configuration.text("log-level")) ?? .info,
      format: configuration.text("log-format"))
  }

  /// Says something for developers.
  package func debug(_ message: String, _ fields: KeyValuePairs<Key, String> = [:]) { write(.debug, message, fields) }
  /// Says that something worth knowing happened.
  package func info(_ message: String, _ fields: KeyValuePairs<Key, String> = [:]) { write(.info, message, fields) }
  /// Says that something went wrong and is being dealt with.
  package func warning(_ message: String, _ fields: KeyValuePairs<Key, String> = [:]) {
    write(.warning, message, fields)
  }
  /// Says that something went wrong and somebody should look.
  package func error(_ message: String, _ fields: KeyValuePairs<Key, String> = [:]) { write(.error, message, fields) }

  private func write(_ level: Level, _ message: String, _ fields: KeyValuePairs<Key, String>) {
    guard level >= self.level else { return }
    var line = line(level, message, fields)
    line.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }

  /// The line of an event, with its end.
  func line(_ level: Level, _ message: String, _ fields: KeyValuePairs<Key, String>) -> String {
    (isText ? text(level, message, fields) : json(level, message, fields)) + "\n"
  }

  private func text(_ level: Level, _ message: String, _ fields: KeyValuePairs<Key, String>) -> String {
    let pairs = fields.map { " \($0.key.rawValue)=\($0.value)" }.joined()
    return "\(LogTime.now.suffix(16)) \(level) \(service): \(message)\(pairs)"
  }

  private func json(_ level: Level, _ message: String, _ fields: KeyValuePairs<Key, String>) -> String {
    var line = "{\"time\":\"\(LogTime.now)\",\"level\":\"\(level)\",\"service\":\"\(service)\",\"message\":"
    line += JSONText.quoted(message)
    for (key, value) in fields { line += ",\"\(key.rawValue)\":\(JSONText.quoted(value))" }
    return line + "}"
  }
}
