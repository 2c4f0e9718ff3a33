import Testing

@testable import ClientTool

@Suite struct CompleterTests {
  private static func words(_ line: String...) -> [String]? {
    guard case .candidates(let candidates) = Completer(line).choice else { return nil }
    return candidates.map(\.word)
  }

  private static func search(_ line: String...) -> Completion? {
    guard case .search(let completion) = Completer(line).choice else { return nil }
    return completion
  }

  @Test func `first come the commands, a group once, and nothing hidden`() throws {
    let words = try #require(Self.words(""))
    #expect(words.contains("call") && words.filter { $0 == "stream" }.count == 1 && !words.contains("complete"))
    #expect(Self.words("stream", "") == ["ls", "info", "view", "tail"])
    #expect(Self.words("dead", "") == ["ls", "show", "replay"])
    #expect(Self.words("verify", "--")?.contains("--stuck-after") == true)
    #expect(Self.words("nonsense", "") == [])
  }

  @Test func `operands are what their command takes, wherever the options stand`() {
    #expect(Self.search("call", "") == .method)
    #expect(Self.search("call", "--timeout", "5s", "-v", "Or") == .method)
    #expect(Self.search("call", "Orders.GetOrder", "@") == .fileBehindAt)
    #expect(Self.search("call", "--", "") == .method)
    #expect(Self.search("describe", "") == .name)
    #expect(Self.words("call", "a", "b", "") == [])
    #expect(Self.words("list", "") == [])
  }

  @Test func `options are offered until they are given, unless they may be repeated`() throws {
    let words = try #require(Self.words("call", "--timeout", "5s", "--metadata", "a=b", "-v", "--"))
    #expect(!words.contains("--timeout") && words.contains("--metadata") && words.contains("--help"))
    #expect(!words.contains("--verbose"), "its letter was given")
  }

  @Test func `values are what their option takes, behind a blank and behind an equals sign`() {
    #expect(Self.search("top", "--sort", "") == .words(["calls", "errors", "p99", "active", "name"]))
    #expect(Self.search("bench", "A.B", "--html", "x") == .file)
    #expect(Self.search("bench", "A.B", "--html=x") == .file)
    #expect(Completer(["bench", "--html=x/y"]).word == "x/y")
    #expect(Self.search("call", "--timeout", "") == .nothing)
    #expect(Self.search("call", "--nonsense=1") == .nothing)
  }

  @Test func `names come from the servers that answer, and nothing is said when none does`() async throws {
    try await withServer { environment in
      let methods = await gozon("complete", "--", "call", "Orders.Cr", environment: environment)
      #expect(methods.lines.map { $0.prefix { $0 != "\t" } } == ["Orders.CreateOrder"])
      let names = await gozon("complete", "--", "describe", "gozon.orders.OrderS", environment: environment)
      #expect(names.output.hasPrefix("gozon.orders.OrderStatus\t"))
      let elsewhere = await gozon("complete", "--", "call", "--backends", "127.0.0.1:1", "", environment: environment)
      #expect(elsewhere.status == 0 && elsewhere.output.isEmpty && elsewhere.errors.isEmpty)
      let nonsense = await gozon("complete", "--", "call", "--backends", "x", "", environment: environment)
      #expect(nonsense.status == 0 && nonsense.output.isEmpty && nonsense.errors.isEmpty)
    }
  }

  @Test func `every shell has a script that asks for the words up to the cursor`() async {
    for script in CompletionScript.allCases {
      let run = await gozon("completion", script.rawValue)
      #expect(run.status == 0 && run.output.contains(" complete -- "), "\(script)")
    }
    #expect(await gozon("completion", "csh").status == 2)
  }
}
