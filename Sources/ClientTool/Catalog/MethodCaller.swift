internal import RPC
internal import Schema
internal import Wire

/// Calls a method with JSON, and gives its responses as JSON.
struct MethodCaller: Sendable {
  private let method: MethodDescriptor
  private let translator: JSONTranslator
  private let client: RPCClient
  private let options: CallOptions

  /// A caller of `method` through `client`.
  init(_ method: Catalog.Method, client: RPCClient, options: CallOptions) {
    self.method = method.descriptor
    self.client = client
    self.options = options
    translator = JSONTranslator(method.server.schemas)
  }

  /// The response to a request.
  ///
  /// - Throws: ``RPCError``, of the server or because the request is none.
  func call(_ request: [UInt8]) async throws -> String {
    let payload = try Self.encode(request, method, translator)
    let result = try await client.call(method: method.id, payload: payload, options: options)
    do throws(DecodingError) {
      return String(decoding: try translator.json(result.payload, of: method.response), as: UTF8.self)
    } catch {
      throw RPCError(.internal, "the response is not what its schema says: \(error)")
    }
  }

  /// The bytes of a request that is written as JSON.
  static func encode(
    _ request: [UInt8], _ method: MethodDescriptor, _ translator: JSONTranslator
  ) throws(RPCError) -> [UInt8] {
    var builder = translator.builder(of: method.request)
    builder.merge(json: request)
    do throws(RequestErrors) {
      return try builder.encode()
    } catch {
      throw .invalid(error.violations)
    }
  }
}
