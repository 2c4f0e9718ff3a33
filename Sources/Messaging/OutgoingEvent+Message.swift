package import JetStream

extension OutgoingEvent {
  /// The event as the broker gets it, with headers that the stock tools can show.
  package var message: OutgoingMessage {
    var headers: MessageHeaders = [
      EventHeader.type: type, EventHeader.order: "\(orderID)", EventHeader.user: "\(userID)",
    ]
    if let traceparent { headers.append("traceparent", traceparent) }
    return OutgoingMessage(subject: subject, messageID: id, headers: headers, payload: payload)
  }
}
