internal import CPQ
internal import EventLoop

extension PostgresConnection {
  func happened(_ interest: DescriptorWatcher.Interest) {
    if interest.contains(.readable) {
      lastProgress = loop.now
      check(PQconsumeInput(handle))
      while failure == nil, !pipeline.isEmpty, PQisBusy(handle) == 0 { receiveEvent() }
      if let script, failure == nil { continueScript(script) }
      considerCancelling()
      onProgress?()
    }
    if failure == nil { flushToSocket() }
  }

  private func receiveEvent() {
    let event = nextEvent()
    if case .failed(let error) = event, error.code == .connectionLost { return lost(error) }
    perform(pipeline.received(event))
  }

  private func nextEvent() -> Pipeline.Event {
    guard let result = PQgetResult(handle) else { return .end }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return .rows(Rows(result))
    case PGRES_PIPELINE_SYNC:
      PQclear(result)
      return .sync
    case PGRES_PIPELINE_ABORTED:
      PQclear(result)
      return .skipped
    default:
      defer { PQclear(result) }
      return .failed(PostgresError(result: result))
    }
  }

  private func perform(_ action: Pipeline.Action) {
    switch action {
    case .nothing: break
    case .answer(let reply, .failure(let error)):
      reply.answer(.failure(error.seen(deadline: reply.deadline)))
    case .answer(let reply, let result): reply.answer(result)
    case .sendAgain(let reply):
      reply.travelsAlone = true
      statistics.resent += 1
      if let onSendAgain { onSendAgain(reply) } else { enqueue(reply) }
    case .sendSegmentAgain(let segment):
      statistics.resent += segment.replies.count
      segment.reset()
      enqueue(segment)
    case .finish(let segment, let result): finish(segment, result)
    case .abandon: lost(PostgresError(.protocolViolation, "answers do not match the statements sent"))
    }
  }

  private func finish(_ segment: Segment, _ result: Result<[Rows], PostgresError>) {
    switch (segment.kind, result) {
    case (.independent, _), (.preparation, _), (.timeout, .success): break
    case (.timeout, .failure): timeout.changeFailed()
    case (.transaction(let state), .failure(let error)):
      let error = error.seen(deadline: state.deadline)
      state.failure = state.failure ?? error
      segment.fail(error)
    case (.atomic, .success(let rows)), (.rollback, .success(let rows)), (.transaction, .success(let rows)):
      segment.succeed(rows)
    case (.atomic, .failure(let error)), (.rollback, .failure(let error)):
      segment.fail(error.seen(deadline: segment.deadline))
    }
    segment.released()
    if !queue.isEmpty { scheduleFlush() }
  }
}
