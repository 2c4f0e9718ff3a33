/// Is told of every call of a pool on its loop: to refuse it, to add metadata to it, to count it, to log it.
///
/// It sees a call once, however many attempts there are.
package protocol ClientInterceptor: Sendable {
  /// A call is about to begin.
  ///
  /// - Throws: the error to end it with instead; nobody is told of its end then.
  func callBegan(_ call: inout OutgoingCall) throws(RPCError)

  /// The call ended with `status`; when its caller gave it up, with CANCELLED.
  func callEnded(_ call: OutgoingCall, _ status: StatusCode, after duration: Duration)
}
