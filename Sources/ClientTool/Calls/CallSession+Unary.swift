internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// Calls with one request each.
extension CallSession {
  /// The response to an encoded request, in JSON.
  ///
  /// - Parameter place: the request's place among several, from 0.
  func call(_ request: [UInt8], place: Int?) async throws -> String {
    let began = loop.now
    do {
      let result = try await channel.call(method: method.descriptor.id, payload: request, options: options)
      remarks?.ended(nil, place: place, after: loop.now - began, result.metadata)
      return try json.response(result.payload)
    } catch {
      remarks?.ended(RPCError(thrown: error), place: place, after: loop.now - began, [:])
      throw error
    }
  }

  /// Makes a call for each line of the input.
  ///
  /// - Returns: the status of the first error; nil when there was no line.
  func callForEachLine() async throws -> ExitStatus? {
    let input = LineInput(loop: loop, descriptor: terminal.input)
    let status: ExitStatus?
    do {
      status = try await method.descriptor.responseIsStream ? streamForEachLine(input) : callForEachLine(input)
    } catch {
      await output.untilEmpty()
      throw error
    }
    await output.untilEmpty()
    return status
  }

  /// Several calls at once.
  private func callForEachLine(_ input: LineInput) async throws -> ExitStatus? {
    let answers = AnswerStream(loop: loop, output: output)
    try await withThrowingDiscardingTaskGroup { group in
      while let line = try await input.nextLine() {
        try await answers.untilFewerWait(than: inFlightMax)
        let place = answers.begin()
        group.addTask {
          do {
            answers.finish(place, .success(try await call(json.request(line), place: place)))
          } catch {
            answers.finish(place, .failure(RPCError(thrown: error)))
          }
        }
      }
    }
    try Task.checkCancellation()
    return answers.status
  }

  /// One call after the other: the responses of each are a stream.
  private func streamForEachLine(_ input: LineInput) async throws -> ExitStatus? {
    var status: ExitStatus?
    while let line = try await input.nextLine() {
      do {
        try await stream(RawMessage(json.request(line)), nil)
        status = status ?? .ok
      } catch {
        try Task.checkCancellation()
        let error = RPCError(thrown: error)
        output.append("\(error.json)")
        if (status ?? .ok) == .ok { status = ExitStatus(error.code) }
      }
    }
    return status
  }
}
