import EventLoop
import Testing
import Tracing

@Suite struct TraceParentTests {
  private static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

  @Test func `the header is read and written`() throws {
    let trace = try #require(TraceParent(Self.text))
    #expect(trace.traceHigh == 0x4bf9_2f35_77b3_4da6 && trace.traceLow == 0xa3ce_929d_0e0e_4736)
    #expect(trace.spanID == 0x00f0_67aa_0ba9_02b7 && trace.isSampled)
    #expect(trace.text == Self.text && trace.traceID == "4bf92f3577b34da6a3ce929d0e0e4736")
  }

  @Test(arguments: [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "00"),
    // Flags that nobody here knows are not passed on.
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", "01"),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02", "00"),
    ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", "01"),
    ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "01"),
  ])
  func `what it says goes on as version 00`(text: String, flags: String) {
    #expect(TraceParent(text)?.text == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\(flags)")
  }

  @Test(arguments: [
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes",
    "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\r", "---", "",
  ])
  func `what is none is not read`(text: String) {
    #expect(TraceParent(text) == nil)
  }

  @Test func `half of one is none`() {
    for length in 0..<Self.text.utf8.count { #expect(TraceParent(String(Self.text.prefix(length))) == nil) }
  }

  @Test func `another span is one of the same trace`() throws {
    var random = RandomNumbers()
    let trace = TraceParent.root(isSampled: true, using: &random)
    let child = trace.child(using: &random)
    #expect(child.traceID == trace.traceID && child.spanID != trace.spanID && child.isSampled)
    #expect(TraceParent(trace.text) == trace)
  }
}
