internal import CNATS
internal import Glibc

/// A message that libnats received; its memory goes with this value.
struct NATSMessage: ~Copyable {
  private let pointer: OpaquePointer
  private let disposal: MessageDisposal

  /// Takes over a message of libnats.
  init(owning pointer: OpaquePointer, disposal: MessageDisposal) {
    self.pointer = pointer
    self.disposal = disposal
  }

  deinit { disposal.dispose(pointer) }

  /// What it was published on; for a status, our own inbox.
  var subject: String { String(cString: natsMsg_GetSubject(pointer)) }

  /// The bytes of ``subject``.
  var subjectBytes: Span<UInt8> {
    @_lifetime(borrow self) get { span(natsMsg_GetSubject(pointer)) }
  }

  /// Where to answer; empty when no answer is expected.
  var replyBytes: Span<UInt8> {
    @_lifetime(borrow self) get { span(natsMsg_GetReply(pointer)) }
  }

  /// What was published, without headers.
  var payload: Span<UInt8> {
    @_lifetime(borrow self) get {
      let count = Int(natsMsg_GetDataLength(pointer))
      let bytes = UnsafeRawPointer(natsMsg_GetData(pointer))?.assumingMemoryBound(to: UInt8.self)
      return _overrideLifetime(
        Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: bytes == nil ? 0 : count)), borrowing: self)
    }
  }

  /// Lets `body` read ``subjectBytes``.
  func withSubject<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result { try body(subjectBytes) }

  /// Lets `body` read ``payload``.
  func withPayload<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result { try body(payload) }

  /// The first value under `name`; names are case-sensitive.
  func header(_ name: String) -> String? {
    var value: UnsafePointer<CChar>?
    guard natsMsgHeader_Get(pointer, name, &value) == NATS_OK, let value else { return nil }
    return String(cString: value)
  }

  /// All headers with the first value of each, in no particular order.
  var headers: MessageHeaders {
    var headers: MessageHeaders = [:]
    var names: UnsafeMutablePointer<UnsafePointer<CChar>?>?
    var count: Int32 = 0
    guard natsMsgHeader_Keys(pointer, &names, &count) == NATS_OK, let names else { return headers }
    defer { free(names) }
    for name in UnsafeBufferPointer(start: names, count: Int(count)) {
      guard let name = name.map({ String(cString: $0) }), let value = header(name) else { continue }
      headers.append(name, value)
    }
    return headers
  }

  @_lifetime(borrow self)
  private func span(_ text: UnsafePointer<CChar>?) -> Span<UInt8> {
    let bytes = UnsafeRawPointer(text)?.assumingMemoryBound(to: UInt8.self)
    let count = text.map { strlen($0) } ?? 0
    return _overrideLifetime(
      Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count)), borrowing: self)
  }
}
