/// What a client's bytes came to, or what became of ours.
enum HTTP2Event {
  /// A request's head is there.
  case head(HTTP2Stream)
  /// A request is there as a whole; its head came before.
  case requestEnded(HTTP2Stream)
  /// More of a body came than may be taken; the rest is dropped.
  case bodyRefused(HTTP2Stream, HTTPRefusal)
  /// The stream is over, well or not: nothing can be sent on it.
  case closed(HTTP2Stream)
  /// The client has read everything up to our ping.
  case pong
}
