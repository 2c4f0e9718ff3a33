/// A call as those see it who are told of it.
package struct OutgoingCall: Sendable {
  /// The service's number in the high byte, the method's in the low one.
  package let method: UInt16
  /// Such as `gozon.orders.Orders/CreateOrder`; empty when the caller has only the number.
  package let methodName: String
  /// How it is made.
  package var options: CallOptions
}
