import EventLoop
@testable import Gateway
@testable import RPC
import Schema
import Wire

/// A server behind the gateway, in memory: it speaks JSON with its test and messages with the gateway.
// Confined to the loop of its test.
final class FakeBackend: PoolConnection, @unchecked Sendable {
  /// A call as the server saw it.
  struct Call {
    let method: String
    let request: String
    let options: CallOptions
  }

  let address: String
  var onStateChange: (() -> Void)?
  var callCount = 0
  /// The loop of its test.
  var loop: EventLoop!
  private(set) var calls: [Call] = []
  /// Beside every response.
  var metadata = Metadata()
  /// Answers the request of a method with a response, both as JSON.
  var answer: (_ method: String, _ request: String) async throws -> String = { _, _ in
    throw RPCError(.unimplemented, "not offered")
  }
  /// Answers the request of a method that streams: gives responses to `send`, all as JSON, until it returns.
  var stream: (_ method: String, _ request: String, _ send: (String) throws -> Void) async throws -> Void = { _, _, _ in
    throw RPCError(.unimplemented, "not offered")
  }
  private var source: String
  private var translator: JSONTranslator?

  var isReady = false {
    didSet { onStateChange?() }
  }
  var state: ConnectionState {
    isReady ? .ready : .waiting(RPCError(.unavailable, "connection to \(address) refused", reason: "NOT_CONNECTED"))
  }

  init(address: String = "10.0.0.1:1", source: String = ShelfSchema.source) {
    self.address = address
    self.source = source
    translator = Self.translator(source)
  }

  /// Offers another schema from now on.
  func becomes(_ source: String) {
    self.source = source
    translator = Self.translator(source)
  }

  func run() async {}

  func connectNow() {}

  func begin(_ call: PendingCall) {
    var request: [UInt8] = []
    call.appendRequest(to: &request)
    if call.isStreaming { return beginStream(call, request) }
    loop.startTask { [request] in
      do {
        let result = try await self.call(method: call.method, payload: request, options: call.options)
        call.isCompleted = true
        call.succeed(result.payload.span.bytes, result.metadata)
      } catch {
        call.end(error as? RPCError ?? RPCError(.internal, "\(error)"))
      }
    }
  }

  private func beginStream(_ call: PendingCall, _ payload: [UInt8]) {
    loop.startTask {
      do {
        let (method, request) = try self.note(call.method, payload, call.options)
        try await self.stream(method.name, request) { json in
          let message = try self.message(json, of: method.response)
          if !call.isCompleted { try call.inbound?.receive(message.span.bytes, cost: 0) }
        }
        if call.isCompleted { return }
        call.isCompleted = true
        call.succeed([UInt8]().span.bytes, Metadata())
      } catch {
        call.end(error as? RPCError ?? RPCError(.internal, "\(error)"))
      }
    }
  }

  /// Writes a call down, and returns its method and its request.
  private func note(_ id: UInt16, _ payload: [UInt8], _ options: CallOptions) throws -> (MethodDescriptor, String) {
    let method = translator!.schemas.services[0].methods.first { $0.id == id }!
    let request = String(decoding: try translator!.json(payload, of: method.request), as: UTF8.self)
    calls.append(Call(method: method.name, request: request, options: options))
    return (method, request)
  }

  private func message(_ json: String, of type: Int) throws -> [UInt8] {
    var builder = translator!.builder(of: type)
    builder.merge(json: Array(json.utf8))
    return try builder.encode()
  }

  /// A translator of the schema that `source` is; nil when it is none.
  static func translator(_ source: String) -> JSONTranslator? {
    (try? SchemaSet.parse([("test.gozon", source)])).map { JSONTranslator($0) }
  }

  func unary<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response {
    try Response(decoding: try await call(method: method.id, payload: request.encoded(), options: options).payload)
  }

  func stream<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response> { preconditionFailure("the gateway calls by its pool") }

  func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult {
    if id == ServerMethods.reflect.id {
      let file = RPC.SchemaFile(name: "test.gozon", source: source)
      return CallResult(payload: ReflectResponse(server: "fake", services: [], files: [file]).encoded())
    }
    let (method, request) = try note(id, payload, options)
    let response = try await answer(method.name, request)
    return CallResult(payload: try message(response, of: method.response), metadata: metadata)
  }
}
