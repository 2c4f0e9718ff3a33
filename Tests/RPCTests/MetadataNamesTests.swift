import Testing

@testable import RPC

@Suite struct MetadataNamesTests {
  @Test func `an Idempotency-Key is visible ASCII of bounded length`() throws {
    #expect(try Metadata().idempotencyKey() == nil)
    for key in ["a", "\"8e03978e-40d5\"", String(repeating: "~", count: 255)] {
      #expect(try (["idempotency-key": key] as Metadata).idempotencyKey() == key)
    }
    for key in ["", "a b", "a\n", "\u{7F}", "é", String(repeating: "k", count: 256)] {
      let metadata: Metadata = ["idempotency-key": key]
      let error = #expect(throws: RPCError.self) { try metadata.idempotencyKey() }
      #expect(error?.code == .invalidArgument && error?.reason == "IDEMPOTENCY_KEY_INVALID")
    }
  }

  @Test(arguments: [
    ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
    ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true),
    ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
    ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
    ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
    ("00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", false),
    ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false),
    ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false),
    ("00-0af7651916cd43dd8448eb211c8031\r\n-b7ad6b7169203331-01", false), ("", false), ("---", false),
  ])
  func `a trace is kept when it is one`(text: String, isTrace: Bool) {
    let metadata: Metadata = ["traceparent": text]
    #expect(metadata.traceparent == (isTrace ? text : nil))
  }
}
