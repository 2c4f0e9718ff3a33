internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// Calls whose requests or responses are a stream.
extension CallSession {
  private typealias Call = StreamingCall<RawMessage, RawMessage>

  /// Makes a call, and prints its responses as they come.
  ///
  /// - Parameters:
  ///   - request: the one request; nil when they are a stream.
  ///   - requests: the stream of requests, read as fast as the server takes them.
  func stream(_ request: RawMessage?, _ requests: RequestLines?) async throws {
    let began = loop.now
    let tally = StreamTally()
    let call = channel.stream(reference, request, options)
    do {
      try await exchange(call, requests, tally)
      remarks?.ended(nil, place: nil, after: loop.now - began, call.responseMetadata, tally)
    } catch {
      remarks?.ended(RPCError(thrown: error), place: nil, after: loop.now - began, [:], tally)
      throw error
    }
  }

  private var reference: MethodReference<RawMessage, RawMessage> {
    MethodReference(
      id: method.descriptor.id, name: method.descriptor.fullName, isIdempotent: method.descriptor.isIdempotent,
      requestIsStream: method.descriptor.requestIsStream, responseIsStream: method.descriptor.responseIsStream)
  }

  private enum Side { case requests, responses }

  /// Sends and receives until the responses have ended: the server may end the call before it has heard everything.
  private func exchange(_ call: Call, _ requests: RequestLines?, _ tally: StreamTally) async throws {
    try await withThrowingTaskGroup(of: Side.self) { group in
      group.addTask {
        try await receive(call, tally)
        return .responses
      }
      if let requests {
        group.addTask {
          try await send(requests, call, tally)
          return .requests
        }
      }
      while let side = try await group.next(), side != .responses {}
      group.cancelAll()
    }
  }

  private func send(_ requests: RequestLines, _ call: Call, _ tally: StreamTally) async throws {
    while let line = try await requests.next() {
      tally.requests += 1
      let message: [UInt8]
      do throws(RPCError) {
        message = try json.request(line)
      } catch {
        var error = error
        error.message = "request \(tally.requests): \(error.message)"
        throw error
      }
      // When the call has ended, its responses tell how.
      do { try await call.send(RawMessage(message)) } catch is RPCError { return }
    }
    call.finish()
  }

  private func receive(_ call: Call, _ tally: StreamTally) async throws {
    guard method.descriptor.responseIsStream else {
      let response = try await call.response()
      tally.responses = 1
      return output.append(try json.response(response.bytes))
    }
    let began = loop.now
    for try await response in call {
      if tally.responses == 0 { tally.untilFirst = loop.now - began }
      tally.responses += 1
      output.append(try json.response(response.bytes))
      await output.untilRoom()
    }
  }
}
