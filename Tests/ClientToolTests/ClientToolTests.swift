import EventLoop
import JetStream
import JSON
import RPC
import Testing

@testable import ClientTool

/// The whole tool against a server in the same process.
@Suite struct ClientToolTests {
  private static let user = "01890000-0000-7000-8000-000000000001"
  private static let zero = "00000000-0000-0000-0000-000000000000"
  /// Nothing listens there.
  private static let nowhere = ["GOZON_BACKENDS": "127.0.0.1:1"]

  @Test func `list names the methods of every server`() async throws {
    try await withServer { environment in
      let run = await gozon("list", environment: environment)
      #expect(run.status == 0 && run.errors.isEmpty && run.lines.count == 7)
      #expect(run.lines[1].split(separator: " ").prefix(3) == ["Orders.CreateOrder", "CreateOrderRequest", "Order"])
      let json = await gozon("list", "--json", "--all", environment: environment)
      #expect(json.lines.count == 10)
      let first = try JSONValue(parsing: Array(json.lines[0].utf8).span)
      #expect(first["http"] == ["POST /v1/orders"] && first["server"]?.string == "gozon-test")
    }
  }

  @Test func `list shows what it reached, and says what it did not`() async throws {
    try await withServer { environment in
      let addresses = "127.0.0.1:1,\(environment["GOZON_BACKENDS"] ?? "")"
      let run = await gozon("list", "--backends", addresses)
      #expect(run.status == 78 && run.lines.count == 7)
      #expect(
        run.errors.contains("cannot connect to 127.0.0.1:1: connection refused; is the system up? run tools/up"))
    }
  }

  @Test func `describe tells of messages and events`() async throws {
    try await withServer { environment in
      let method = await gozon("describe", "Orders.CreateOrder", environment: environment)
      #expect(method.status == 0 && method.output.contains("harmless with --idempotency-key"))
      let event = await gozon("describe", "gozon.events.OrderCreated", environment: environment)
      #expect(event.status == 0 && event.output.contains("Who pays."))
      #expect(await gozon("describe", "Nothing", environment: environment).status == 69)
    }
  }

  @Test func `a template is a line that call takes`() async throws {
    try await withServer { environment in
      let template = await gozon("describe", "Orders.CreateOrder", "--template", environment: environment)
      #expect(template.status == 0 && template.lines.count == 1)
      let call = await gozon("call", "Orders.CreateOrder", environment: environment, input: template.output)
      #expect(call.status == 0, "\(call)")
      #expect(
        await gozon("describe", "Order", "--template", environment: environment).output.contains(#""status":"NEW""#))
      #expect(await gozon("describe", "Orders", "--template", environment: environment).status == 67)
    }
  }

  @Test func `shapes are listed and described`() async throws {
    try await withProbe { environment in
      let list = await gozon("list", environment: environment)
      #expect(list.lines.contains { $0.hasPrefix("Probe.Echo     stream Piece    stream Piece ") }, "\(list.output)")
      let described = await gozon("describe", "Probe.Produce", environment: environment)
      #expect(described.output.contains("shape   server streaming: ProduceRequest -> stream Piece\n"))
      #expect(described.output.contains("number  2.2, in frames 0x0202\n  marks   @idempotent\n"))
      #expect(described.output.contains("each response gozon.probe.Piece"))
    }
  }

  @Test func `all exit statuses are named in one place`() async {
    let run = await gozon("help", "exit-status")
    #expect(run.lines.contains { $0.hasPrefix("    65  CANCELLED") })
    #expect(run.lines.contains { $0.hasPrefix("    80  UNAUTHENTICATED") })
  }

  @Test func `call sends JSON and metadata, and prints the response`() async throws {
    try await withServer { environment in
      let request = #"{"userId":"\#(Self.user)","amount":7}"#
      let run = await gozon(
        "call", "Orders.CreateOrder", request, "--metadata", "note=hello", environment: environment)
      #expect(run.status == 0)
      let response = try JSONValue(parsing: Array(run.output.utf8).span)
      #expect(response["amount"]?.integer == 7 && response["userId"]?.string == Self.user)
      #expect(response["description"]?.string == "hello" && response["status"]?.string == "NEW")
      let keyed = await gozon(
        "call", "Orders.CreateOrder", request, "--idempotency-key", "k1", environment: environment)
      #expect(keyed.output.contains(#""description":"k1""#))
    }
  }

  @Test func `the status of a failed call is the exit status`() async throws {
    try await withServer { environment in
      let missing = #"{"id":"\#(Self.user)"}"#
      let run = await gozon("call", "Orders.GetOrder", missing, environment: environment)
      #expect(run.status == 69 && run.output.isEmpty)
      #expect(run.errors == "gozon: NOT_FOUND: no order has this id\n  reason: NO_ORDER\n")
      let json = await gozon("call", "Orders.GetOrder", missing, "--json", environment: environment)
      #expect(json.status == 69 && json.errors.isEmpty && json.output.hasPrefix(#"{"error":{"code":"NOT_FOUND""#))
      let wrong = await gozon(
        "call", "Orders.CreateOrder", #"{"userId":1,"amonut":5}"#, environment: environment)
      #expect(wrong.status == 67 && wrong.errors.contains("/userId") && wrong.errors.contains("'amount'"))
      #expect(await gozon("call", "Orders.Nothing", "{}", environment: environment).status == 76)
      #expect(await gozon("call", "Orders.GetOrder", "@/no/such/file", environment: environment).status == 67)
    }
  }

  @Test func `health lists the dependencies and exits 1 when one is missing`() async throws {
    let isWell = Locked(true)
    let health: @Sendable () -> [DependencyHealth] = {
      let isWell = isWell.withLock { $0 }
      return [
        DependencyHealth(name: "postgres", status: .serving, reason: ""),
        DependencyHealth(
          name: "nats", status: isWell ? .serving : .notServing, reason: isWell ? "" : "no connection"),
      ]
    }
    try await withServer(health: health) { environment in
      let well = await gozon("health", environment: environment)
      #expect(well.status == 0 && well.lines.count == 4 && well.output.contains("gozon-test"))
      isWell.withLock { $0 = false }
      let ill = await gozon("health", environment: environment)
      #expect(ill.status == 1 && ill.lines[3].hasSuffix("nats        NOT_SERVING  no connection"))
      let json = await gozon("health", "--json", environment: environment)
      let report = try JSONValue(parsing: Array(json.output.utf8).span)
      #expect(report["dependencies"]?.array?.last?["reason"]?.string == "no connection")
    }
    let gone = await gozon("health", environment: Self.nowhere)
    #expect(gone.status == 1 && gone.output.contains("UNREACHABLE"))
  }

  @Test func `bench measures closed and open loops`() async throws {
    try await withServer { environment in
      let request = #"{"id":"\#(Self.zero)"}"#
      let closed = await gozon(
        "bench", "Orders.GetOrder", "--request", request, "--duration", "100ms", "--concurrency", "4", "--json",
        environment: environment)
      let result = try JSONValue(parsing: Array(closed.output.utf8).span)
      #expect(closed.status == 0 && (result["calls"]?.integer ?? 0) > 4)
      let open = await gozon(
        "bench", "Orders.GetOrder", "--request", request, "--duration", "200ms", "--rate", "100", "--json",
        environment: environment)
      let paced = try JSONValue(parsing: Array(open.output.utf8).span)
      #expect(open.status == 0 && (1...20).contains(paced["calls"]?.integer ?? 0), "\(open.output)")
      let failing = await gozon(
        "bench", "Orders.GetOrder", "--request", #"{"id":"\#(Self.user)"}"#, "--duration", "50ms",
        environment: environment)
      #expect(failing.status == 69 && failing.output.contains("NOT_FOUND"))
    }
  }

  @Test func `a wrong command line exits 2 and says where help is`() async {
    let run = await gozon("call")
    #expect(run.status == 2 && run.errors.contains("METHOD is missing") && run.errors.contains("gozon call --help"))
    #expect(await gozon("--help").status == 0)
  }

  @Test func `nobody there is UNAVAILABLE, with what to do`() async {
    let run = await gozon("call", "Orders.GetOrder", "{}", environment: Self.nowhere)
    #expect(run.status == 78 && run.errors.contains("tools/up"))
  }
}
