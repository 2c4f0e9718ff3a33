import API
import EventLoop
import Foundation
import Probe
import TestSupport
import Testing
import Wire

@testable import RPC

/// The conversation that `Schemas/PROTOCOL.md` shows byte by byte, held with a real server and a real client.
@Suite struct ProtocolExampleTests {
  /// The frames of the example, read from the document.
  private static let frames = Result { try frames(under: "### Worked example: two calls") }

  private static func frames(under title: String) throws -> [[UInt8]] {
    let text = try String(contentsOfFile: "\(TestDatabase.checkout)/Schemas/PROTOCOL.md", encoding: .utf8)
    let example = try #require(text.components(separatedBy: title).last)
    let block = try #require(example.components(separatedBy: "```").dropFirst().first)
    return block.components(separatedBy: "\n\n").map { frame in
      frame.split(separator: "\n").filter { !$0.contains("er: ") && !$0.contains("client: ") }.flatMap { line in
        let hexadecimal = line.dropFirst(4).prefix(23).components(separatedBy: "   ")[0]
        return bytes(hexadecimal)
      }
    }
  }

  private static let accountID = Wire.UUID("00112233-4455-6677-8899-aabbccddeeff")!

  /// A `Payments` with the one account of the example.
  private struct Accounts: PaymentsService {
    func getAccount(_ request: GetAccountRequest, context: CallContext) async throws -> Account {
      guard request.userId == accountID else { throw RPCError(.notFound, "no account", reason: "NO_ACCOUNT") }
      #expect(context.metadata["request-id"] == "r1")
      return Account(
        userId: request.userId, balance: 500, currency: "RUB", createdAt: Timestamp("2026-01-01T00:00:00Z")!)
    }
    func createAccount(_ request: CreateAccountRequest, context: CallContext) async throws -> Account { Account() }
    func deposit(_ request: DepositRequest, context: CallContext) async throws -> Deposit { Deposit() }
    func listEntries(_ request: ListEntriesRequest, context: CallContext) async throws -> ListEntriesResponse {
      ListEntriesResponse()
    }
  }

  @Test func `a server answers the example's client with exactly the example's bytes`() async throws {
    let frames = try Self.frames.get()
    try #require(frames.count == 6)
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "payments", host: "127.0.0.1", port: 0,
        services: [Accounts().definition, ProbeImplementation().definition])
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { $0 = frames[0] + frames[2] + frames[3] }
      try await peer.until { $0.frames.count == 3 }
      #expect(hexadecimal(peer.bytes) == hexadecimal(frames[1] + frames[4] + frames[5]))
    }
  }

  @Test func `a server answers the example of a stream with exactly its bytes`() async throws {
    let greeting = try Self.frames.get()[0]
    let frames = try Self.frames(under: "### Worked example: a stream each way")
    try #require(frames.count == 5)
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "payments", host: "127.0.0.1", port: 0, services: [ProbeImplementation().definition])
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { $0 = greeting + frames[0] + frames[1] + frames[2] }
      try await peer.until { $0.frames.count == 3 }
      #expect(hexadecimal(peer.bytes.suffix(frames[3].count + frames[4].count)) == hexadecimal(frames[3] + frames[4]))
    }
  }

  @Test func `a client sends the example's greeting and request, but for the time left`() async throws {
    let frames = try Self.frames.get()
    try await onLoop { loop in
      let (client, server) = try await Self.connectedPair(loop, frames[1])
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        let options = CallOptions(timeout: .seconds(10), metadata: ["request-id": "r1"], waitsForReady: true)
        group.addTask {
          _ = try? await PaymentsClient(client).getAccount(GetAccountRequest(userId: Self.accountID), options: options)
        }
        for _ in 0..<1_000 where server.peer?.bytes.count != frames[0].count + frames[2].count {
          try? await loop.sleep(for: .milliseconds(2))
        }
        var sent = server.peer?.bytes ?? []
        guard sent.count == frames[0].count + frames[2].count else {
          Issue.record("\(sent.count) bytes came")
          return
        }
        // The milliseconds, and the checksum that holds them.
        for place in [12..<16, 20..<24] {
          let place = (frames[0].count + place.lowerBound)..<(frames[0].count + place.upperBound)
          sent.replaceSubrange(place, with: (frames[0] + frames[2])[place])
        }
        #expect(hexadecimal(sent) == hexadecimal(frames[0] + frames[2]))
      }
    }
  }

  /// A client, and a server that sends `greeting` and keeps what comes.
  private static func connectedPair(
    _ loop: EventLoop, _ greeting: [UInt8]
  ) async throws -> (RPCClient, GreetingServer) {
    let server = try GreetingServer(loop: loop, greeting)
    var options = RPCClient.Options()
    options.name = "example"
    return (RPCClient(loop: loop, host: "127.0.0.1", port: server.port, options: options), server)
  }

  // Confined to the loop of its test.
  private final class GreetingServer: @unchecked Sendable {
    private var listener: TCPListener!
    private(set) var peer: RawPeer?
    var port: Int { listener.port }

    init(loop: EventLoop, _ greeting: [UInt8]) throws {
      listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { [unowned self] tcp in
        peer = RawPeer(loop: loop, tcp)
        peer?.send { $0 = greeting }
      }
    }
  }
}
