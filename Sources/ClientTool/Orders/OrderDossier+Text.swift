internal import API
internal import JetStream
internal import JSON
internal import Messaging
internal import Wire

extension OrderDossier {
  /// A screen: what the order is, and under it everything that happened, in the order of time.
  func text(_ view: inout MessageView) -> String {
    var table = TextTable("TIME", "WHERE", "EVENT", "PROCESSED", "DETAILS")
    for line in lines(&view).sorted(by: { ($0.time, $0.rank) < ($1.time, $1.rank) }) {
      table.append("\(line.time)", line.place, line.event, line.processed, line.details)
    }
    return "\(properties.text)\n\n\(table.text)"
  }

  private var properties: TextTable {
    var table = TextTable("ORDER", "\(id)")
    if let order {
      table.append("status", ([order.statusName] + [order.reasonName].compactMap { $0 }).joined(separator: ", "))
      table.append("user", "\(order.userID)")
      table.append("amount", "\(order.amount) \(order.currency)")
      if !order.description.isEmpty { table.append("for", order.description) }
    }
    if let charge {
      let sum = "\(charge.amount) \(charge.currency)"
      table.append("charge", "\(charge.outcomeName), \(sum)\(order == nil ? ", of user \(charge.userID)" : "")")
    }
    for question in questions { table.append("waiting", question.text) }
    var traces: [String] = []
    for trace in messages.map(\.trace) where !trace.isEmpty && !traces.contains(trace) { traces.append(trace) }
    for trace in traces { table.append("trace", trace) }
    return table
  }

  /// Something that happened.
  private struct Line {
    let time: Timestamp
    /// What comes first of what happened at the same time: in the order in which one follows from the other.
    let rank: Int
    let place: String
    let event: String
    var processed = ""
    var details = ""
  }

  private func lines(_ view: inout MessageView) -> [Line] {
    var lines = (order?.events ?? []).map { event in
      let reason = event.kind == .cancelled ? order?.reasonName ?? "" : ""
      return Line(time: event.time, rank: 4, place: "orders", event: event.kind.name, details: reason)
    }
    if let charge {
      lines.append(Line(time: charge.settledAt, rank: 1, place: "payments", event: charge.outcomeName))
    }
    lines += entries.map { entry in
      Line(
        time: entry.createdAt, rank: 2, place: "payments", event: "entry \(entry.number)",
        details: "\(entry.kindName) \(entry.amount), which leaves \(entry.balance)")
    }
    for found in messages { lines.append(line(found, view.show(found.message))) }
    return lines
  }

  private func line(_ found: FoundMessage, _ shown: MessageView.Shown) -> Line {
    let isDead = found.stream == EventStreams.dead.name
    let type = shown.type.split(separator: ".").last.map(String.init) ?? found.message.subject
    let reason = isDead ? "\(found.message.headers[DeadLetter.reasonHeader] ?? "no reason"): " : ""
    return Line(
      time: found.time, rank: found.stream == EventStreams.orders.name ? 0 : 3,
      place: "\(found.stream) \(found.message.sequence)", event: type,
      processed: found.isProcessed.map { $0 ? "yes" : "no" } ?? "", details: reason + content(of: shown))
  }

  /// What a message says beside whom it is about.
  private func content(of shown: MessageView.Shown) -> String {
    guard case .success(let json) = shown.content,
      let members = (try? JSONValue(parsing: Array(json.utf8).span))?.members
    else { return shown.text }
    let own = ["\(id)", userID.map { "\($0)" }]
    return "\(JSONValue.object(members.filter { $0.value.string.map { !own.contains($0) } ?? true }))"
  }
}
