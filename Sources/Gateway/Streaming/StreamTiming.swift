/// The times of streams over HTTP.
package struct StreamTiming: Sendable {
  /// How long the head of a response waits for the first message, so that what fails at once has a status of its own.
  package var headPatience: Duration = .milliseconds(300)
  /// How long nothing is sent before a heartbeat is.
  package var heartbeat: Duration = .seconds(15)
  /// The pauses before a stream that broke off is taken up again; they double, with jitter.
  package var pauses: ClosedRange<Duration> = .milliseconds(50) ... .seconds(2)
  /// How long in all a stream is tried to be taken up again, before its client has to.
  package var patience: Duration = .seconds(60)
  /// A call that lasted so long did not fail because nobody takes it.
  package var soundAfter: Duration = .seconds(10)

  /// The usual times.
  package init() {}
}
