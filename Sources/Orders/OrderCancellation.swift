internal import API
package import EventLoop
package import Messaging
internal import Postgres
package import Service
internal import Wire

/// Cancels orders: puts the request on record in batches, and waits for what payments says.
// Confined to its event loop; every entry checks it.
package final class OrderCancellation: @unchecked Sendable {
  /// The most requests of one transaction.
  private static let batchMax = 512
  /// The most requests that wait for their transaction.
  private static let queueMax = 16_384
  /// How long a result is waited for.
  private static let patience: Duration = .seconds(5)
  /// How much of a caller's time is waited at most, so that the answer is in time.
  private static let shareOfDeadline = 0.8
  /// How often an order is looked at whose result may come to another process; doubles up to the second.
  private static let pauses: ClosedRange<Duration> = .milliseconds(20) ... .seconds(1)

  private let loop: EventLoop
  private let store: OrderStore
  private let relay: Relay
  private let watch: OrderWatch
  private let feed: ChangeFeed
  private var batcher: Batcher<CancelRequest, CancelOutcome>!

  /// Cancels orders of `store`, hands the events to `relay`, learns of results from `watch`, and tells `feed`.
  package init(loop: EventLoop, store: OrderStore, relay: Relay, watch: OrderWatch, feed: ChangeFeed) {
    self.loop = loop
    self.store = store
    self.relay = relay
    self.watch = watch
    self.feed = feed
    batcher = Batcher(loop: loop, batchMax: Self.batchMax, queueMax: Self.queueMax) { [unowned self] in
      await self.process($0, deadline: $1)
    }
  }

  /// Cancels an order. Once this has returned, the cancellation is on record and goes on whatever happens.
  ///
  /// - Returns: the order with its result; as it stands, when the result does not come in time.
  /// - Throws: `Overloaded`, `BatchCameTooLate`, `CancellationError`, or `PostgresError`.
  package func cancel(_ request: CancelRequest, deadline: LoopInstant) async throws -> CancelOutcome {
    let limit = loop.now + min(Self.patience, (deadline - loop.now) * Self.shareOfDeadline)
    return try await watch.watching(request.orderID) { watcher in
      let outcome = try await batcher.submit(request, deadline: deadline)
      guard let watcher else { return outcome }
      return switch outcome {
      case .recorded(let order): .recorded(try await result(of: order, watcher, until: limit))
      case .replayed(let order): .replayed(try await result(of: order, watcher, until: limit))
      case .keyReused, .noOrder: outcome
      }
    }
  }

  /// Requests that wait for their transaction.
  package var waiting: Int { batcher.waiting }

  /// What became of requests and their transactions.
  package var statistics: BatchStatistics { batcher.statistics }

  /// The cancellation as a part of the process, which ends when no request is on its way into the store.
  package var part: Part { batcher.part("order cancellation") }

  /// Waits until a cancellation that is under way has its result, or `limit`; the order then.
  private func result(
    of order: Order, _ watcher: OrderWatch.Watcher, until limit: LoopInstant
  ) async throws -> Order {
    var order = order
    var pause = Self.pauses.lowerBound
    while OrderRules.isBeingCancelled(order), loop.now < limit {
      await watcher.wait(atMost: min(pause, limit - loop.now))
      try Task.checkCancellation()
      order = try await store.order(order.id) ?? order
      pause = min(pause * 2, Self.pauses.upperBound)
    }
    return order
  }

  private func process(
    _ requests: [CancelRequest], deadline: LoopInstant?
  ) async -> [Result<CancelOutcome, any Error>] {
    do {
      // Who asks again changes nothing.
      let outcomes = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        try await store.requestCancel(requests, at: .now, deadline: deadline)
      }
      // Also for those who ask again: the broker drops repeats.
      relay.publish(
        zip(requests, outcomes).compactMap { request, outcome in
          guard let order = outcome.order, OrderRules.isBeingCancelled(order) else { return nil }
          return order.cancelled.event(traceparent: request.traceparent)
        })
      feed.changed()
      return outcomes.map { .success($0) }
    } catch let error as PostgresError where error.concernsOne && requests.count > 1 {
      // A key that others take again and again must not fail its neighbours.
      var results: [Result<CancelOutcome, any Error>] = []
      for request in requests { results += await process([request], deadline: deadline) }
      return results
    } catch {
      return requests.map { _ in .failure(error) }
    }
  }
}
