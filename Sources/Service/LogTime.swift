internal import Wire

/// The time in front of a log line.
enum LogTime {
  /// RFC 3339 UTC.
  static var now: String { "\(Timestamp.now)" }
}
