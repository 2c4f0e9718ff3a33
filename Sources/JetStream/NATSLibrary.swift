internal import CNATS
internal import EventLoop
internal import Glibc

/// Calls into libnats that belong to no object of ours.
enum NATSLibrary {
  /// Why an attempt to connect failed.
  struct Failure: Error {
    let reason: String
  }

  /// Connects once, trying each of the servers; blocks, so never on the loop.
  static func connect(_ options: NATSConnection.Options, socket: NATSSocket) -> Result<NATSSession.Handle, Failure> {
    // With an event loop the library still blocks in the middle of a TLS record.
    if options.url.contains("tls://") { return .failure(Failure(reason: "TLS to NATS is not supported")) }
    var settings: OpaquePointer?
    var connection: OpaquePointer?
    var status = natsOptions_Create(&settings)
    defer { natsOptions_Destroy(settings) }
    if status == NATS_OK, let settings { status = apply(options, to: settings, socket: socket) }
    if status == NATS_OK { status = natsConnection_Connect(&connection, settings) }
    if status == NATS_OK, let connection { return .success(NATSSession.Handle(pointer: connection)) }
    return .failure(Failure(reason: String(cString: nats_GetLastError(nil) ?? natsStatus_GetText(status))))
  }

  private static func apply(
    _ options: NATSConnection.Options, to settings: OpaquePointer, socket: NATSSocket
  ) -> natsStatus {
    let steps: [() -> natsStatus] = [
      { setServers(options.url, settings) },
      { natsOptions_SetName(settings, options.name) },
      { natsOptions_SetTimeout(settings, milliseconds(options.connectTimeout)) },
      { natsOptions_SetPingInterval(settings, milliseconds(options.pingInterval)) },
      { natsOptions_SetMaxPingsOut(settings, 2) },
      { natsOptions_SetAllowReconnect(settings, false) },
      // Flushing is ours to plan: once a turn of the loop, not after the library's millisecond.
      { natsOptions_SetSendAsap(settings, true) },
      { natsOptions_SetIOBufSize(settings, readBytesMax) },
      // The default handler prints; failures of ours are reported where they happen.
      { natsOptions_SetErrorHandler(settings, { _, _, _, _ in }, nil) },
      { socket.install(in: settings) },
    ]
    for step in steps {
      let status = step()
      if status != NATS_OK { return status }
    }
    return NATS_OK
  }

  private static func setServers(_ urls: String, _ settings: OpaquePointer) -> natsStatus {
    let servers = urls.split(separator: ",").map { strdup(String($0)) }
    defer { for server in servers { free(server) } }
    var pointers = servers.map { UnsafePointer($0) }
    return natsOptions_SetServers(settings, &pointers, Int32(clamping: pointers.count))
  }

  /// Bytes that one read takes from the socket; also the most that waits in subscriptions between two drains.
  private static let readBytesMax: Int32 = 128 << 10

  /// Why a connection ended.
  static func lastError(of connection: OpaquePointer) -> String {
    var text: UnsafePointer<CChar>?
    let status = natsConnection_GetLastError(connection, &text)
    if let text, text.pointee != 0 { return String(cString: text) }
    return String(cString: natsStatus_GetText(status == NATS_OK ? NATS_CONNECTION_CLOSED : status))
  }

  /// A name that nobody else has: 22 characters.
  static func uniqueName() -> String {
    var inbox: UnsafeMutablePointer<CChar>?
    guard natsInbox_Create(&inbox) == NATS_OK, let inbox else { return "\(getpid())" }
    defer { natsInbox_Destroy(inbox) }
    return String(String(cString: inbox).dropFirst("_INBOX.".count))
  }

  static func milliseconds(_ duration: Duration) -> Int64 { Int64(clamping: max(1, duration.millisecondsRoundedUp)) }

  /// The error for a status of the library, or nil for success.
  static func error(_ status: natsStatus, _ operation: String) -> JetStreamError? {
    let code: JetStreamError.Code
    switch status {
    case NATS_OK: return nil
    case NATS_CONNECTION_CLOSED, NATS_CONNECTION_DISCONNECTED, NATS_IO_ERROR: code = .unavailable
    case NATS_INSUFFICIENT_BUFFER, NATS_NO_MEMORY: code = .overloaded
    default: code = .invalidArgument
    }
    return JetStreamError(code, "NATS did not \(operation)", detail: String(cString: natsStatus_GetText(status)))
  }
}

/// Runs `work` on a thread of its own, which is gone afterwards: for calls of the library that block.
func runOnThread(_ work: @escaping @Sendable () -> Void) {
  let context = Unmanaged.passRetained(ThreadWork(work)).toOpaque()
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { context in
      Unmanaged<ThreadWork>.fromOpaque(context!).takeRetainedValue().work()
      nats_ReleaseThreadMemory()
      return nil
    }, context)
  precondition(code == 0, "no thread could be made")
  pthread_detach(thread)
}

private final class ThreadWork: Sendable {
  let work: @Sendable () -> Void
  init(_ work: @escaping @Sendable () -> Void) { self.work = work }
}

extension NATSLibrary {
  /// Queues a message in the connection's buffer.
  static func publish(
    _ subject: String, reply: [CChar]?, headers: MessageHeaders, messageID: String?, payload: [UInt8],
    over connection: OpaquePointer, disposal: MessageDisposal
  ) -> natsStatus {
    payload.withUnsafeBytes { bytes in
      let data = bytes.assumingMemoryBound(to: CChar.self).baseAddress
      guard messageID != nil || !headers.entries.isEmpty else {
        return natsConnection_PublishRequest(connection, subject, reply, data, Int32(clamping: bytes.count))
      }
      var message: OpaquePointer?
      var status = natsMsg_Create(&message, subject, reply, data, Int32(clamping: bytes.count))
      defer { if let message { disposal.dispose(message) } }
      if let messageID, status == NATS_OK { status = natsMsgHeader_Set(message, MessageHeaders.messageID, messageID) }
      for (name, value) in headers.entries where status == NATS_OK { status = natsMsgHeader_Add(message, name, value) }
      return status == NATS_OK ? natsConnection_PublishMsg(connection, message) : status
    }
  }
}
