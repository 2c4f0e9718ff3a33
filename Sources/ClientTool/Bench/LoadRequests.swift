internal import RPC

/// The encoded requests of a load.
// Confined to its event loop.
final class LoadRequests: @unchecked Sendable {
  private var template: RequestTemplate
  private let json: MethodJSON
  /// The request when all are the same, so that making it costs a load nothing.
  private let constant: [UInt8]?

  /// The requests that `template` makes.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when the first one is none.
  init(_ template: RequestTemplate, _ json: MethodJSON) throws(RPCError) {
    self.template = template
    self.json = json
    var first = template
    let request = try json.request(first.next())
    constant = template.isConstant ? request : nil
  }

  /// The next one.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it is none: what is random need not be within the bounds of a field.
  func next() throws(RPCError) -> [UInt8] {
    if let constant { return constant }
    return try json.request(template.next())
  }
}
