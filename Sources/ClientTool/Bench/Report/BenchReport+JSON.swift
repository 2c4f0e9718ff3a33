internal import JetStream
internal import JSON

/// A report for machines; times in microseconds.
extension BenchReport {
  var json: JSONValue {
    var latency = Self.quantiles.map {
      JSONValue.Member(Self.name($0), .number(Double(result.latencies.quantile($0)) / 1_000))
    }
    latency.insert(.init("mean", .number(result.latencies.mean / 1_000)), at: 0)
    latency.append(.init("max", .number(Double(result.latencies.max) / 1_000)))
    var members: [JSONValue.Member] = [
      .init("method", .string(method)), .init("shape", .string(shape)),
      .init("servers", .array(servers.map { .string($0) })), .init("pace", .string(pace)),
      .init("connections", .integer(Int64(plan.connections))),
      .init("seconds", .number(result.elapsed / .seconds(1))),
      .init("calls", .integer(Int64(clamping: result.latencies.count))),
      .init("callsPerSecond", .number(result.callsPerSecond)),
      .init("failures", .object(failures.map { .init($0.name, .integer(Int64($0.count))) })),
      .init("cutOff", .integer(Int64(result.cutOff))), .init("neverBegun", .integer(Int64(result.neverBegun))),
      .init("interrupted", .bool(result.isInterrupted)), .init("latencyMicroseconds", .object(latency)),
    ]
    if hasMessages {
      members += [.init("sent", json(of: result.sent)), .init("received", json(of: result.received))]
    }
    return .object(members)
  }

  private func json(of messages: LoadResult.Messages) -> JSONValue {
    [
      "messages": .integer(Int64(messages.count)), "bytes": .integer(Int64(messages.bytes)),
      "messagesPerSecond": .number(result.perSecond(Double(messages.count))),
      "bytesPerSecond": .number(result.perSecond(Double(messages.bytes))),
    ]
  }
}
