internal import API
internal import JetStream
internal import JSON
internal import RPC
internal import Wire

extension OrderDossier {
  /// One document, with the names that the services' own answers have.
  func json(_ view: inout MessageView) -> JSONValue {
    var members: [JSONValue.Member] = [.init("id", .string("\(id)"))]
    if let order {
      members.append(.init("order", order.json))
      members.append(.init("timeline", .array(order.timeline)))
      members.append(.init("questions", .array(questions.map(\.json))))
    }
    if let charge { members.append(.init("charge", charge.json)) }
    members.append(.init("entries", .array(entries.map(\.json))))
    members.append(.init("messages", .array(messages.map { $0.json(view.show($0.message)) })))
    members.append(.init("problems", .array(gaps.map { .string($0.message) })))
    return .object(members)
  }
}

extension OrderRow {
  fileprivate var json: JSONValue {
    .object(
      [
        ("userId", .string("\(userID)")), ("amount", .integer(amount)), ("currency", .string(currency)),
        ("description", .string(description)), ("status", .string(statusName)),
        ("reason", reasonName.map { .string($0) }), ("createdAt", .string("\(createdAt)")),
        ("updatedAt", .string("\(updatedAt)")), ("cancelRequestedAt", cancelRequestedAt.map { .string("\($0)") }),
      ].present)
  }

  fileprivate var timeline: [JSONValue] {
    events.sorted { ($0.time, $0.kind.rawValue) < ($1.time, $1.kind.rawValue) }.map { event in
      .object(
        [
          ("kind", .string(event.kind.name)), ("at", .string("\(event.time)")),
          ("reason", event.kind == .cancelled ? reasonName.map { .string($0) } : nil),
        ].present)
    }
  }
}

extension QuestionRow {
  fileprivate var json: JSONValue {
    .object(
      [
        ("asks", cancels ? "cancel" : "charge"), ("attempts", .integer(Int64(attempts))),
        ("dueAt", dueAt.map { .string("\($0)") }), ("traceparent", traceparent.map { .string($0) }),
      ].present)
  }
}

extension ChargeRow {
  fileprivate var json: JSONValue {
    [
      "userId": .string("\(userID)"), "amount": .integer(amount), "currency": .string(currency),
      "outcome": .string(outcomeName), "settledAt": .string("\(settledAt)"),
    ]
  }
}

extension LedgerRow {
  fileprivate var json: JSONValue {
    [
      "id": .integer(number), "kind": .string(kindName), "amount": .integer(amount), "balance": .integer(balance),
      "createdAt": .string("\(createdAt)"),
    ]
  }
}

extension FoundMessage {
  fileprivate func json(_ shown: MessageView.Shown) -> JSONValue {
    let own: [JSONValue.Member] = [
      ("stream", .string(stream)), ("isProcessed", isProcessed.map { .bool($0) }),
    ].present
    // What a document of our own says is JSON.
    let rest = (try? JSONValue(parsing: Array(shown.json.utf8).span))?.members ?? []
    return .object(own + rest)
  }
}

extension [(String, JSONValue?)] {
  /// Those that have a value.
  fileprivate var present: [JSONValue.Member] { compactMap { name, value in value.map { .init(name, $0) } } }
}
