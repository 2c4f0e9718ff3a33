/// What went over a call with a stream.
// Confined to the event loop of its call.
final class StreamTally: @unchecked Sendable {
  var requests = 0
  var responses = 0
  /// From the beginning of the call to the first message of a stream of responses; nil when none came.
  var untilFirst: Duration?
}
