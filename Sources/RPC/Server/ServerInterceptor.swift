/// Is told of every call of a server on its loop: to refuse it, to count it, to log it.
package protocol ServerInterceptor: Sendable {
  /// A call is about to start.
  ///
  /// - Throws: the error to answer it with instead.
  func callBegan(_ context: CallContext) throws(RPCError)

  /// A call that was started has ended with `status`; those that were cancelled with CANCELLED.
  func callEnded(_ context: CallContext, _ status: StatusCode)
}
