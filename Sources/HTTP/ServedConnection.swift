internal import EventLoop

/// A client's connection, whichever protocol it speaks, as its server sees it.
protocol ServedConnection: TCPConnectionDelegate {
  /// Sends what this turn of the loop produced.
  func flush()
  /// Sheds a client that takes too long; called once a second or more often.
  func checkDeadlines()
  /// Ends when what is under way is done.
  func drain()
  /// Cuts the connection; the handlers' tasks are cancelled.
  func abort()
}
