internal import JetStream
internal import Wire

/// A message about an order.
struct FoundMessage: Sendable {
  let stream: String
  let message: StoredMessage
  /// Whether it has had its effect; nil where that is not known, or there is none to have.
  let isProcessed: Bool?

  /// When the stream took it.
  var time: Timestamp { Timestamp(brokerTime: message.time) ?? .zero }
  /// The trace that it belongs to, without its spans (W3C Trace Context); empty when there is none.
  var trace: String {
    let parts = (message.headers["traceparent"] ?? "").split(separator: "-")
    return parts.count > 1 ? String(parts[1]) : ""
  }
}

extension Timestamp {
  /// A time as the broker writes it, with up to nine decimals of a second, of which six are kept.
  init?(brokerTime text: String) {
    let parts = text.split(separator: ".", maxSplits: 1)
    guard parts.count == 2, parts[1].hasSuffix("Z") else {
      self.init(text)
      return
    }
    self.init("\(parts[0]).\(parts[1].dropLast().prefix(6))Z")
  }
}
