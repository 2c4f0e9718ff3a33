import API
import RPC
import Schema
import Wire

/// Messages: what is read can be written and reads the same, and JSON says all of it.
///
/// The first byte chooses the message.
@Sendable func fuzzMessages(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let bytes = Array(input.dropFirst())
  let kind = MessageKind.all[Int(first) % MessageKind.all.count]
  kind.check(bytes)
}

/// A generated message type, with its descriptor.
private struct MessageKind: Sendable {
  /// Holds the type and the translator to each other, over these bytes.
  let check: @Sendable ([UInt8]) -> Void

  /// One for each message of ``FuzzSchemas``, in their order.
  static let all: [MessageKind] = {
    let types = Dictionary(uniqueKeysWithValues: generated.map { ($0.fullName, $0) })
    return FuzzSchemas.all.messages.indices.map { index in
      let name = FuzzSchemas.all.messages[index].fullName
      guard let type = types[name] else { preconditionFailure("Messages.swift does not list \(name)") }
      return MessageKind(type, index)
    }
  }()

  private static let generated: [any Message.Type] = [
    Order.self, CreateOrderRequest.self, GetOrderRequest.self, ListOrdersRequest.self, ListOrdersResponse.self,
    CancelOrderRequest.self, OrderEvent.self, ListOrderEventsRequest.self, ListOrderEventsResponse.self,
    WatchOrdersRequest.self,
    Account.self, CreateAccountRequest.self, GetAccountRequest.self, DepositRequest.self, Deposit.self, Entry.self,
    ListEntriesRequest.self, ListEntriesResponse.self, OrderCreated.self, OrderCancelled.self,
    OrderSettled.self,
    AskRequest.self, AskResponse.self, ProduceRequest.self, Piece.self, ConsumeResponse.self,
    Violation.self, ErrorDetails.self, DependencyHealth.self, CheckHealthRequest.self, CheckHealthResponse.self,
    WatchHealthRequest.self, ReflectRequest.self, RPC.SchemaFile.self, ReflectResponse.self, InspectRequest.self,
    CallInfo.self, ConnectionInfo.self, StatusCount.self, MethodInfo.self, Gauge.self, InspectResponse.self,
    Everything.self, Nothing.self, FindLeafRequest.self, Leaf.self,
  ]

  private init(_ type: any Message.Type, _ index: Int) { self = Self.make(type, index) }

  private init<Kind: Message>(of type: Kind.Type, _ index: Int) {
    check = { bytes in checkMessage(type, index, bytes) }
  }

  private static func make<Kind: Message>(_ type: Kind.Type, _ index: Int) -> MessageKind {
    MessageKind(of: type, index)
  }
}

private func checkMessage<Kind: Message>(_ type: Kind.Type, _ index: Int, _ bytes: [UInt8]) {
  let (json, refusal) = json(of: bytes, index)
  let message: Kind
  do {
    message = try Kind(decoding: bytes)
  } catch {
    precondition(
      json == nil && (refusal == error || isOfJSON(refusal)), "type: \(error), translator: \(refusal as Any)")
    return
  }
  precondition(json != nil || isOfJSON(refusal), "the translator refuses what the type reads: \(refusal as Any)")
  let written = message.encoded()
  precondition(written.count == message.encodedSize)
  guard let again = try? Kind(decoding: written) else { preconditionFailure("what was written is refused") }
  // Bytes, since what is no number is not equal to itself.
  precondition(again.encoded() == written, "what was written reads otherwise")
  let violations = message.validate()
  precondition(violations.count <= FieldViolation.countMax)
  guard let json else { return }
  precondition((try? FuzzSchemas.translator.json(written, of: index)) == json, "JSON of what was written differs")
  let read = encode(json, index)
  precondition((read == nil) == !violations.isEmpty, "type and translator disagree on the marks: \(violations)")
  let text = String(decoding: json, as: UTF8.self)
  // A moment beyond those that RFC 3339 writes is written as the nearest one.
  let isNearest = [Timestamp.writable.lowerBound, Timestamp.writable.upperBound].contains { text.contains("\($0)") }
  precondition(read == nil || read == written || isNearest, "JSON loses something: \(text)")
}

/// The message as JSON, or why there is none.
private func json(of bytes: [UInt8], _ index: Int) -> ([UInt8]?, DecodingError?) {
  do {
    return (try FuzzSchemas.translator.json(bytes, of: index), nil)
  } catch {
    return (nil, error)
  }
}

/// Whether a message was refused that is one, because JSON cannot say it.
private func isOfJSON(_ error: DecodingError?) -> Bool {
  guard let problem = error?.problem else { return false }
  return ["JSON has no such", "too large for JSON"].contains { problem.contains($0) }
}
