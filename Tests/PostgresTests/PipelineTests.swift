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
    pipeline.sent(Segment(.preparation(prepared)))
    pipeline.sent(segment)
    for event in [.failed(PostgresError(.server("42P01"), "no such table")), .end, .sync] as [Pipeline.Event] {
      _ = pipeline.received(event)
    }
    #expect(prepared.isStale)
    let action = pipeline.received(.failed(PostgresError(.server(.invalidStatementName), "no such statement")))
    guard case .answer(_, .failure(let error)) = action else { return #expect(Bool(false), "not answered") }
    #expect(error.sqlState == "42P01")
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
