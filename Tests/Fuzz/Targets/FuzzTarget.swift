/// One thing that is fuzzed: bytes go in, and a trap is a finding.
struct FuzzTarget: Sendable {
  /// What `tools/fuzz` calls it.
  let name: String
  /// What is held to what, in one line.
  let purpose: String
  /// Tries one input.
  let test: @Sendable ([UInt8]) -> Void

  /// Every target.
  static let all = [
    FuzzTarget(name: "frames", purpose: "frames, both connection state machines, credit", test: fuzzFrames),
    FuzzTarget(name: "greetings", purpose: "metadata and hellos", test: fuzzGreetings),
    FuzzTarget(name: "messages", purpose: "bytes to messages, and on to JSON and back", test: fuzzMessages),
    FuzzTarget(name: "json", purpose: "JSON and texts to messages and back", test: fuzzJSON),
    FuzzTarget(name: "schema", purpose: "schema files, their lint and comparison", test: fuzzSchema),
    FuzzTarget(name: "http", purpose: "HTTP requests, whole and in pieces", test: fuzzHTTP),
  ]

  // Written once, before the fuzzer runs; libFuzzer has one thread.
  nonisolated(unsafe) static var current = all[0]
}
