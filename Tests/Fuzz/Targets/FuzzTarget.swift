/// One thing that is fuzzed: bytes go in, and a trap is a finding.
struct FuzzTarget: Sendable {
  /// What `tools/fuzz` calls it.
  let name: String
  /// What is held to what, in one line.
  let purpose: String
  /// Tries one input.
  let test: @Sendable ([UInt8]) -> Void
  /// Inputs to begin with, the same each time.
  let seeds: @Sendable () -> [[UInt8]]

  /// Every target.
  static let all = [
    FuzzTarget(
      name: "frames", purpose: "frames, the state machines of both sides, credit", test: fuzzFrames,
      seeds: frameSeeds),
    FuzzTarget(name: "greetings", purpose: "metadata and hellos", test: fuzzGreetings, seeds: greetingSeeds),
    FuzzTarget(
      name: "messages", purpose: "messages of every type, and on to JSON and back", test: fuzzMessages,
      seeds: messageSeeds),
    FuzzTarget(name: "json", purpose: "JSON and texts to messages, and back", test: fuzzJSON, seeds: jsonSeeds),
    FuzzTarget(
      name: "schema", purpose: "schema files, and what the tools do with them", test: fuzzSchema, seeds: schemaSeeds),
    FuzzTarget(name: "http", purpose: "HTTP requests, whole and in pieces", test: fuzzHTTP, seeds: httpSeeds),
    FuzzTarget(
      name: "http2", purpose: "connections by HTTP/2, whole and in pieces, and answers", test: fuzzHTTP2,
      seeds: http2Seeds),
    FuzzTarget(
      name: "websocket", purpose: "messages of a WebSocket, whole and in pieces", test: fuzzWebSocket,
      seeds: webSocketSeeds),
  ]

  // Written once, before the fuzzer runs; libFuzzer has one thread.
  nonisolated(unsafe) static var current = all[0]
}
