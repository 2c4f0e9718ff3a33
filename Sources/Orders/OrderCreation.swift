internal import API
package import EventLoop
internal import Idempotency
package import Messaging
internal import Postgres
internal import RPC
package import Service
internal import Wire

/// Takes orders in batches: group commit, and what is left to decide when an id or a key exists already.
// Confined to its event loop; every entry checks it.
package final class OrderCreation: @unchecked Sendable {
  /// The most orders of one transaction.
  private static let batchMax = 512
  /// The most orders that wait for their transaction.
  private static let queueMax = 16_384

  private let loop: EventLoop
  private let store: OrderStore
  private let relay: Relay
  private let feed: ChangeFeed
  private var batcher: Batcher<NewOrder, CreationOutcome>!

  /// Takes orders into `store`, hands their events to `relay`, and tells `feed`.
  package init(loop: EventLoop, store: OrderStore, relay: Relay, feed: ChangeFeed) {
    self.loop = loop
    self.store = store
    self.relay = relay
    self.feed = feed
    batcher = Batcher(loop: loop, batchMax: Self.batchMax, queueMax: Self.queueMax, lanes: 2) { [unowned self] in
      await self.process($0, deadline: $1)
    }
  }

  /// Takes `order`, with others that come at the same time, unless `deadline` passes before its turn comes.
  ///
  /// - Throws: `Overloaded`, `BatchCameTooLate`, `CancellationError`, or `PostgresError`.
  package func create(_ order: NewOrder, deadline: LoopInstant? = nil) async throws -> CreationOutcome {
    try await batcher.submit(order, deadline: deadline)
  }

  /// Orders that wait for their transaction.
  package var waiting: Int { batcher.waiting }

  /// What became of orders and their transactions.
  package var statistics: BatchStatistics { batcher.statistics }

  /// The creation as a part of the process, which ends when no order is on its way into the store.
  package var part: Part { batcher.part("order creation") }

  private func process(
    _ orders: [NewOrder], deadline: LoopInstant?
  ) async -> [Result<CreationOutcome, any Error>] {
    let firsts = Self.firsts(of: orders)
    let created: Set<UUID>
    do {
      created = try await create(firsts.map { orders[$0] }, deadline: deadline)
    } catch let error as PostgresError where error.concernsOne && orders.count > 1 {
      // One bad order, or a key that others take again and again, must not fail its neighbours.
      var results: [Result<CreationOutcome, any Error>] = []
      for order in orders { results += await process([order], deadline: deadline) }
      return results
    } catch {
      return orders.map { _ in .failure(error) }
    }
    var isTaken = Array(repeating: false, count: orders.count)
    for index in firsts where created.contains(orders[index].id) { isTaken[index] = true }
    relay.publish(orders.indices.compactMap { isTaken[$0] ? orders[$0].event : nil })
    feed.changed()
    return await outcomes(of: orders, isTaken: isTaken, deadline: deadline)
  }

  /// The ids and keys of the orders make it harmless to try again when it is not known whether they were taken.
  private func create(_ orders: [NewOrder], deadline: LoopInstant?) async throws -> Set<UUID> {
    try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
      try await store.create(orders, slot: OutboxSlot(at: .now), deadline: deadline)
    }
  }

  /// Where the orders of the batch stand, without later ones of the same id or key; by their ids, so that transactions wait
  /// for each other and never in a circle.
  private static func firsts(of orders: [NewOrder]) -> [Int] {
    var ids = Set<UUID>(minimumCapacity: orders.count)
    var keys = Set<IdempotencyKey>()
    let firsts = orders.indices.filter { index in
      if ids.contains(orders[index].id) { return false }
      if let key = orders[index].idempotency?.key, !keys.insert(key).inserted { return false }
      return ids.insert(orders[index].id).inserted
    }
    return firsts.sorted { orders[$0].id < orders[$1].id }
  }

  /// What became of each order: those that were not taken had an id or a key that exists.
  private func outcomes(
    of orders: [NewOrder], isTaken: [Bool], deadline: LoopInstant?
  ) async -> [Result<CreationOutcome, any Error>] {
    let rest = zip(orders, isTaken).filter { !$1 }.map(\.0)
    if rest.isEmpty { return orders.map { _ in .success(.created) } }
    do {
      let keyed = try await store.keyed(rest.compactMap { $0.idempotency?.key }, deadline: deadline)
      let existing = try await store.orders(rest.map(\.id), deadline: deadline)
      return zip(orders, isTaken).map { order, isTaken in
        isTaken ? .success(.created) : Result { try Self.outcome(of: order, keyed: keyed, existing: existing) }
      }
    } catch {
      // Those that were not taken may have been taken by an earlier try of ours whose commit was not answered.
      return isTaken.map { $0 ? .success(.created) : .failure(error.leavingOutcomeUnknown) }
    }
  }

  private static func outcome(
    of order: NewOrder, keyed: KeyedAnswers, existing: [UUID: Order]
  ) throws -> CreationOutcome {
    switch keyed.verdict(on: order.idempotency) {
    case .isRepeat(let response): return .replayed(try Order(decoding: response))
    case .isAnother: return .keyReused
    case .isNew: break
    }
    guard let present = existing[order.id] else {
      throw RPCError(.aborted, "the order's id or key was in use while it was taken; try again")
    }
    return OrderRules.isRepeat(order, of: present) ? .repeated(present) : .idTaken
  }
}
