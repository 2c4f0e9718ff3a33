internal import JetStream
internal import Tracing

/// Messages that arrived together and are not dealt with yet. No I/O.
struct PendingEvents<Event: Sendable> {
  /// What is to be processed, in the order of the stream.
  var events: [ReceivedEvent<Event>] = []
  /// What can never be, and why.
  private(set) var unprocessable: [(message: IncomingMessage, reason: String)] = []
  /// The last message of each lane, and the epoch that it was taken in.
  private var reached: [Int16: (epoch: Int64, sequence: Int64)] = [:]
  /// The last message of all.
  private var last: Int64 = 0

  /// Whether nothing is left, not even places to move on.
  var isEmpty: Bool { reached.isEmpty }

  /// Takes a message, unless it is of no kind, of nobody's lane here, or processed already.
  mutating func append(
    _ message: IncomingMessage, of kinds: [EventKind<Event>], unlessBehind places: [Int16: LanePlace],
    tracer: Tracer? = nil
  ) {
    let sequence = Int64(clamping: message.sequence)
    last = max(last, sequence)
    guard let (kind, lane) = message.withSubject({ Self.kind(of: $0, among: kinds) }), let place = places[lane],
      place.sequence < sequence
    else { return }
    reached[lane] = (place.epoch, sequence)
    switch message.withPayload({ kind.read($0) }) {
    case .success(let event): events.append(ReceivedEvent(event, lane: lane, message: message, tracer: tracer))
    case .failure(let error): unprocessable.append((message, error.reason))
    }
  }

  private static func kind(
    of subject: Span<UInt8>, among kinds: [EventKind<Event>]
  ) -> (EventKind<Event>, lane: Int16)? {
    for kind in kinds {
      if let lane = EventSubject.lane(in: subject, ofName: kind.nameBytes) { return (kind, lane) }
    }
    return nil
  }

  /// Drops what is of lanes that are not held any more, or were not held all the time.
  mutating func keep(_ places: [Int16: LanePlace]) {
    let held = reached.filter { places[$0.key]?.epoch == $0.value.epoch }
    if held.count == reached.count { return }
    reached = held
    events.removeAll { held[$0.lane] == nil }
  }

  /// The batch that all of it makes, whose lanes are at `places` now.
  ///
  /// - Parameter withIdle: moves on also those lanes on which nothing came.
  func batch(_ places: [Int16: LanePlace], withIdle: Bool) -> EventBatch<Event> {
    var moved: [LanePlace] = []
    for var place in places.values {
      if let sequence = reached[place.lane]?.sequence {
        place.sequence = sequence
      } else if withIdle, place.sequence < last {
        place.sequence = last
      } else {
        continue
      }
      moved.append(place)
    }
    // Processes that meet on them wait for each other, and never in a circle.
    moved.sort { $0.lane < $1.lane }
    return EventBatch(events, places: moved)
  }
}
