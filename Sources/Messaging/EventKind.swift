package import Wire

/// A kind of events that a consumer takes.
package struct EventKind<Event: Sendable>: Sendable {
  /// The subject without the lane, such as `orders.created`.
  package let name: String
  /// The message's name in the schema, such as `gozon.events.OrderCreated`.
  package let type: String
  let nameBytes: [UInt8]
  private let decode: @Sendable (Span<UInt8>) throws(DecodingError) -> Event
  private let refusal: @Sendable (Event) -> String?

  /// Events called `name` that carry a `Content`.
  ///
  /// - Parameters:
  ///   - refusal: why an event can never be processed; nil when it can.
  ///   - event: the event that a content is.
  package init<Content: Message>(
    _ name: String, of _: Content.Type, refusal: @escaping @Sendable (Event) -> String? = { _ in nil },
    _ event: @escaping @Sendable (Content) -> Event
  ) {
    self.name = name
    type = Content.fullName
    nameBytes = Array(name.utf8)
    decode = { payload throws(DecodingError) in event(try Content(decoding: payload.bytes)) }
    self.refusal = refusal
  }

  /// What a payload says, or why it can never be processed.
  func read(_ payload: Span<UInt8>) -> Result<Event, Unprocessable> {
    do throws(DecodingError) {
      let event = try decode(payload)
      return refusal(event).map { .failure(Unprocessable(reason: $0)) } ?? .success(event)
    } catch {
      return .failure(Unprocessable(reason: "not a \(type): \(error)"))
    }
  }
}

/// Why a message can never be processed.
struct Unprocessable: Error { let reason: String }
