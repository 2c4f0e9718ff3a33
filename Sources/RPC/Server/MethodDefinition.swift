internal import Wire

/// A method bound to the code that answers it. Made by the schema compiler.
package struct MethodDefinition: Sendable {
  /// Takes the request from `context`, and starts the handler on the loop, where it is called.
  package typealias Start = @Sendable (_ payload: RawSpan, _ context: CallContext) -> Void

  /// The method's number; unique in its service.
  package let number: UInt8
  /// Such as `CreateOrder`.
  package let name: String
  /// Whether a repeat does no harm.
  package let isIdempotent: Bool
  /// Who may call it.
  package let access: MethodAccess
  /// Whether the caller sends a stream of requests.
  package let requestIsStream: Bool
  /// Whether the handler sends a stream of responses.
  package let responseIsStream: Bool
  let start: Start

  /// A method that `start` answers: it decodes the request by ``CallContext/request(_:as:)``, or takes the streams by
  /// ``CallContext/requests(of:)`` and ``CallContext/responses(of:)``, and unless the request is nil hands a task to
  /// ``CallContext/started(_:)`` that calls one of the context's `finish` last.
  package init(
    number: UInt8, name: String, isIdempotent: Bool, access: MethodAccess, requestIsStream: Bool = false,
    responseIsStream: Bool = false, start: @escaping Start
  ) {
    self.number = number
    self.name = name
    self.isIdempotent = isIdempotent
    self.access = access
    self.requestIsStream = requestIsStream
    self.responseIsStream = responseIsStream
    self.start = start
  }
}
