@testable import Postgres
import Testing

@Suite struct PipelineTests {
  private static let failure = PostgresError(.server("22012"), "division by zero")

  private func reads(_ count: Int) -> Segment {
    Segment(.independent, (0..<count).map { _ in Reply(Statement("SELECT 1")) })
  }

  /// What an action is, in a word, with the position of its reply.
  private func describe(_ action: Pipeline.Action, _ segment: Segment) -> String {
    func position(_ reply: Reply) -> Int { segment.replies.firstIndex { $0 === reply } ?? -1 }
    return switch action {
    case .nothing: "nothing"
    case .answer(let reply, .success): "rows \(position(reply))"
    case .answer(let reply, .failure): "failure \(position(reply))"
    case .sendAgain(let reply): "again \(position(reply))"
    case .sendSegmentAgain: "all again"
    case .finish(_, .success): "done"
    case .finish(_, .failure): "failed"
    case .abandon: "abandon"
    }
  }

  private func run(_ segment: Segment, _ events: [Pipeline.Event]) -> [String] {
    var pipeline = Pipeline()
    pipeline.sent(segment)
    return events.map { describe(pipeline.received($0), segment) }.filter { $0 != "nothing" }
  }

  @Test func `reads are answered one by one`() {
    #expect(run(reads(2), [.rows(.none), .end, .rows(.none), .end, .sync]) == ["rows 0", "rows 1", "done"])
  }

  @Test func `reads behind a failed one are sent again, once`() {
    let segment = reads(3)
    segment.replies[2].travelsAlone = true
    let events: [Pipeline.Event] = [.failed(Self.failure), .end, .skipped, .end, .skipped, .end, .sync]
    #expect(run(segment, events) == ["failure 0", "again 1", "failure 2", "failed"])
  }

  @Test func `an atomic segment is answered at its Sync`() {
    let segment = Segment(.atomic, reads(2).replies)
    #expect(run(segment, [.rows(.none), .end, .rows(.none), .end, .sync]) == ["done"])
    let failing = Segment(.atomic, reads(3).replies)
    let events: [Pipeline.Event] = [.rows(.none), .end, .failed(Self.failure), .end, .skipped, .end, .sync]
    #expect(run(failing, events) == ["failed"])
    #expect(failing.failure?.sqlState == "22012")
  }

  @Test func `a commit that fails at the Sync fails the segment`() {
    let segment = Segment(.atomic, reads(1).replies)
    #expect(run(segment, [.rows(.none), .end, .failed(Self.failure), .end, .sync]) == ["failed"])
  }

  @Test func `users of a statement that could not be prepared learn why`() {
    var pipeline = Pipeline()
    let prepared = PreparedStatement(number: 1)
    let segment = reads(1)
    segment.replies[0].prepared = prepared
    pipeline.sent(Segment(.preparation(prepared, for: segment.replies[0])))
    pipeline.sent(segment)
    for event in [.failed(PostgresError(.server("42P01"), "no such table")), .end, .sync] as [Pipeline.Event] {
      _ = pipeline.received(event)
    }
    #expect(prepared.isStale)
    let action = pipeline.received(.failed(PostgresError(.server(.invalidStatementName), "no such statement")))
    guard case .answer(_, .failure(let error)) = action else { return #expect(Bool(false), "not answered") }
    #expect(error.sqlState == "42P01")
  }

  // MARK: Cancel requests

  private static let cancelled = PostgresError(.timeout, "canceling statement due to user request")

  @Test func `a cancel request that hits what it was meant for is the end of it`() {
    var pipeline = Pipeline()
    let segment = reads(3)
    pipeline.sent(segment)
    #expect(!pipeline.isRunningAbandoned)
    segment.abandon(segment.replies[0])
    #expect(pipeline.isRunningAbandoned)
    pipeline.cancelRequested()
    let events: [Pipeline.Event] = [.failed(Self.cancelled), .end, .skipped, .end, .skipped, .end, .sync]
    let actions = events.map { describe(pipeline.received($0), segment) }.filter { $0 != "nothing" }
    #expect(actions == ["failure 0", "again 1", "again 2", "failed"])
    #expect(!pipeline.isRunningAbandoned)
  }

  @Test func `any read of the first segment may be the one that runs, as long as it is not answered`() {
    var pipeline = Pipeline()
    let (first, second) = (reads(3), reads(1))
    pipeline.sent(first)
    pipeline.sent(second)
    second.abandon(second.replies[0])
    #expect(!pipeline.isRunningAbandoned)
    first.abandon(first.replies[1])
    #expect(pipeline.isRunningAbandoned)
    for event in [.rows(.none), .end, .rows(.none)] as [Pipeline.Event] { _ = pipeline.received(event) }
    #expect(pipeline.isRunningAbandoned)
    _ = pipeline.received(.end)
    #expect(!pipeline.isRunningAbandoned)
    for event in [.rows(.none), .end, .sync] as [Pipeline.Event] { _ = pipeline.received(event) }
    #expect(pipeline.isRunningAbandoned)
  }

  @Test func `a read that is stopped by mistake is sent again, a few times`() {
    let segment = reads(2)
    for round in 0..<4 {
      segment.reset()
      var pipeline = Pipeline()
      pipeline.sent(segment)
      pipeline.cancelRequested()
      let actions = ([.rows(.none), .end, .failed(Self.cancelled)] as [Pipeline.Event]).map {
        describe(pipeline.received($0), segment)
      }
      #expect(actions == ["rows 0", "nothing", round < 3 ? "again 1" : "failure 1"])
    }
  }

  @Test func `one request stops one statement, none that was sent later, and no more`() {
    var pipeline = Pipeline()
    let (first, second, later) = (reads(1), reads(1), reads(1))
    pipeline.sent(first)
    pipeline.sent(second)
    pipeline.cancelRequested()
    pipeline.sent(later)
    func fail(_ segment: Segment) -> String {
      let action = describe(pipeline.received(.failed(Self.cancelled)), segment)
      for event in [.end, .sync] as [Pipeline.Event] { _ = pipeline.received(event) }
      return action
    }
    #expect(fail(first) == "again 0")
    #expect(fail(second) == "failure 0")
    #expect(fail(later) == "failure 0")
    let (last, latest) = (reads(1), reads(1))
    pipeline.sent(last)
    pipeline.cancelRequested()
    pipeline.sent(latest)
    #expect(describe(pipeline.received(.rows(.none)), last) == "rows 0")
    for event in [.end, .sync] as [Pipeline.Event] { _ = pipeline.received(event) }
    #expect(fail(latest) == "failure 0")
  }

  @Test func `an atomic segment that is stopped by mistake goes again as a whole`() {
    let segment = Segment(.atomic, reads(2).replies)
    for round in 0..<4 {
      segment.reset()
      var pipeline = Pipeline()
      pipeline.sent(segment)
      pipeline.cancelRequested()
      let events: [Pipeline.Event] = [.rows(.none), .end, .failed(Self.cancelled), .end, .sync]
      let actions = events.map { describe(pipeline.received($0), segment) }.filter { $0 != "nothing" }
      #expect(actions == [round < 3 ? "all again" : "failed"])
    }
  }

  @Test func `a statement whose preparation is stopped by mistake is sent again`() {
    var pipeline = Pipeline()
    let prepared = PreparedStatement(number: 1)
    let segment = reads(1)
    segment.replies[0].prepared = prepared
    pipeline.sent(Segment(.preparation(prepared, for: segment.replies[0])))
    pipeline.sent(segment)
    pipeline.cancelRequested()
    for event in [.failed(Self.cancelled), .end, .sync] as [Pipeline.Event] { _ = pipeline.received(event) }
    let missing = PostgresError(.server(.invalidStatementName), "no such statement")
    #expect(describe(pipeline.received(.failed(missing)), segment) == "again 0")
    #expect(prepared.isStale)
  }

  @Test func `answers out of step end the connection`() {
    #expect(run(reads(1), [.end]) == ["abandon"])
    #expect(run(reads(1), [.sync]) == ["abandon"])
    #expect(run(reads(1), [.skipped]) == ["abandon"])
    #expect(run(reads(1), [.rows(.none), .rows(.none)]) == ["rows 0", "abandon"])
    #expect(run(reads(1), [.rows(.none), .end, .rows(.none)]) == ["rows 0", "abandon"])
    var empty = Pipeline()
    #expect(describe(empty.received(.sync), reads(0)) == "abandon")
  }

  @Test func `replies in flight are counted until their Sync`() {
    var pipeline = Pipeline()
    pipeline.sent(reads(1))
    pipeline.sent(reads(2))
    #expect(pipeline.replyCount == 3)
    for event in [.rows(.none), .end, .sync] as [Pipeline.Event] { _ = pipeline.received(event) }
    #expect(pipeline.replyCount == 2)
    #expect(pipeline.abandonFirst()?.replies.count == 2)
    #expect(pipeline.isEmpty)
  }
}
