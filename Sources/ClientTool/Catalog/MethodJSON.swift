internal import RPC
internal import Schema
internal import Wire

/// The messages of a method as JSON.
struct MethodJSON: Sendable {
  private let method: MethodDescriptor
  private let translator: JSONTranslator

  /// Translates for `method`. Make it once and keep it.
  init(_ method: Catalog.Method) {
    self.method = method.descriptor
    translator = JSONTranslator(method.server.schemas)
  }

  /// The bytes of a request that is written as JSON.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT with everything that is wrong with it.
  func request(_ json: [UInt8]) throws(RPCError) -> [UInt8] {
    var builder = translator.builder(of: method.request)
    builder.merge(json: json)
    do throws(RequestErrors) {
      return try builder.encode()
    } catch {
      throw .invalid(error.violations)
    }
  }

  /// A response as JSON, in a line.
  ///
  /// - Throws: ``RPCError`` INTERNAL when the bytes are none.
  func response(_ bytes: [UInt8]) throws(RPCError) -> String {
    do throws(DecodingError) {
      return String(decoding: try translator.json(bytes, of: method.response), as: UTF8.self)
    } catch {
      throw RPCError(.internal, "the response is not what its schema says: \(error)")
    }
  }
}
