package import EventLoop
package import Postgres
package import Service

/// Has a share of the lanes for this process, and none that another process has.
///
/// A lane is held by an advisory lock of a session made for it (PostgreSQL, chapter 13.3.5), so the server lets go of it
/// when the process dies, and when it gives no sign of life for ``silenceMax``. A process that comes to itself after that
/// finds the lane's epoch changed, and writes nothing.
// Confined to its event loop; every entry checks it.
package final class LaneKeeper: @unchecked Sendable {
  /// How long a session may be silent: its process was stopped, or its machine is gone.
  static let silenceMax: Duration = .seconds(10)
  /// How often the others are counted; also the sign of life.
  private static let interval: Duration = .seconds(1)
  /// The waits after a failure.
  private static let backoffRange: ClosedRange<Duration> = .milliseconds(50) ... .seconds(1)

  private let loop: EventLoop
  private let configuration: PostgresConfiguration
  private let log: Log
  private let isMigrated: () -> Bool
  private let stopping: LoopSignal
  private var isStopping = false
  /// The lanes that this process has, and how far each is processed.
  private(set) var places: [Int16: LanePlace] = [:]
  /// Called when lanes came or went.
  var lanesChanged: () -> Void = {}

  /// A keeper with a session of its own in the database of `configuration`, once that `isMigrated`.
  package init(
    loop: EventLoop, configuration: PostgresConfiguration, log: Log, isMigrated: @escaping () -> Bool = { true }
  ) {
    self.loop = loop
    self.isMigrated = isMigrated
    var configuration = configuration
    configuration.applicationName += "-lanes"
    self.configuration = configuration
    self.log = log
    stopping = LoopSignal(loop: loop)
  }

  /// Keeps the share until ``beginGracefulShutdown()``, and gives it up then.
  func run() async {
    while !isStopping, !isMigrated() { await stopping.wait(atMost: Self.backoffRange.lowerBound) }
    var backoff = Self.backoffRange.lowerBound
    while !isStopping, !Task.isCancelled {
      do {
        let session = try await PostgresConnection.connect(loop: loop, configuration: configuration)
        defer { session.close() }
        try await join(session)
        backoff = Self.backoffRange.lowerBound
        try await keep(session)
      } catch {
        log.warning("lanes cannot be had; trying again", [.error: String(reflecting: error)])
      }
      forget()
      if !isStopping { await stopping.wait(atMost: backoff) }
      backoff = min(backoff * 2, Self.backoffRange.upperBound)
    }
  }

  /// Ends the keeping; what is being processed must have ended.
  func beginGracefulShutdown() {
    isStopping = true
    stopping.signal()
  }

  /// Lanes are processed further; what was lost meanwhile stays lost.
  func advanced(to places: [LanePlace]) {
    for place in places where self.places[place.lane]?.epoch == place.epoch { self.places[place.lane] = place }
  }

  /// Another process was found to have the lanes of `places`.
  func lost(_ places: [LanePlace]) {
    log.warning("lanes were lost to another process", [.count: "\(places.count)"])
    for place in places where self.places[place.lane]?.epoch == place.epoch { self.places[place.lane] = nil }
    lanesChanged()
  }

  // MARK: The session

  private func join(_ session: PostgresConnection) async throws {
    let silence = "\(Self.silenceMax.millisecondsRoundedUp)ms"
    _ = try await session.query(Statement("SELECT set_config('idle_session_timeout', $1, false)", silence))
    _ = try await session.query(LaneTable.join)
  }

  private func keep(_ session: PostgresConnection) async throws {
    while !isStopping, !Task.isCancelled {
      let members: Int64 = try await session.query(LaneTable.countMembers).single().value(0)
      let total = Int(EventSubject.laneCount)
      let change = LaneShare.change(held: places.count, of: total, members: Int(members))
      if change > 0, places.count < total { try await take(change, session) }
      if change < 0 { try await release(-change, session) }
      await stopping.wait(atMost: Self.interval)
    }
  }

  private func take(_ count: Int, _ session: PostgresConnection) async throws {
    let others = (0..<EventSubject.laneCount).filter { places[$0] == nil }.shuffled()
    let rows = try await session.execute([LaneTable.take(count, of: others)])[0]
    if rows.isEmpty { return }
    for row in rows {
      let (lane, epoch, stream, sequence) = try row.values((Int16, Int64, String, Int64).self)
      places[lane] = LanePlace(lane: lane, epoch: epoch, stream: stream, sequence: sequence)
    }
    log.info("lanes taken", [.count: "\(rows.count)"])
    lanesChanged()
  }

  private func release(_ count: Int, _ session: PostgresConnection) async throws {
    let lanes = Array(places.keys.prefix(count))
    for lane in lanes { places[lane] = nil }
    lanesChanged()
    // Whoever takes them waits for what is being written about them.
    _ = try await session.execute([LaneTable.release(lanes)])
    log.info("lanes given up", [.count: "\(lanes.count)"])
  }

  private func forget() {
    if places.isEmpty { return }
    places = [:]
    lanesChanged()
  }
}
