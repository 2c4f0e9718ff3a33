package import API
package import EventLoop
internal import Messaging
internal import Postgres
package import RPC
internal import Service
internal import Wire

/// Tells watchers of orders how these stand, and what becomes of them: read from the database up to some moment, and from
/// then on as the feed tells it; read again when too much has come to be kept.
package struct OrderWatching: Sendable {
  /// Orders of a user that come first when nothing else is asked for.
  private static let recentDefault = 100
  /// Orders that are read at a time.
  private static let pageSize = 256
  /// Watchers that read the database at once: after an outage all of them would, and nobody else got at it.
  private static let readersMax = 2

  private let store: OrderStore
  private let gate: LoopGate
  private let feed: ChangeFeed

  /// Watching of the orders in `store`, whose changes `feed` tells.
  package init(loop: EventLoop, store: OrderStore, feed: ChangeFeed) {
    gate = LoopGate(loop: loop, countMax: Self.readersMax)
    self.store = store
    self.feed = feed
  }

  /// Sends what `request` asks for, without end.
  ///
  /// - Throws: ``RPCError``; `CancellationError`.
  package func watch(
    _ request: WatchOrdersRequest, _ responses: ResponseWriter<Order>, _ context: CallContext
  ) async throws {
    let target = try WatchTarget(request)
    if case .user(let id) = target {
      try context.authorize(
        owner: id,
        orThrow: RPCError(.permissionDenied, "this is another user's; you may have your own", reason: "NOT_YOURS"))
    }
    var session = Session(store: store, gate: gate, responses: responses, context: context, request: request)
    session.position = try Self.position(request.cursor)
    try await feed.following(target) { follower in
      while true {
        try await follower.beginReading()
        follower.endReading(at: try await session.catchUp(target))
        while let told = try await follower.next() { try await session.send(told) }
      }
    }
  }

  private static func position(_ cursor: String?) throws(RPCError) -> WatchPosition? {
    guard let cursor, !cursor.isEmpty else { return nil }
    if let position = WatchPosition(cursor: cursor) { return position }
    throw .invalid([
      FieldViolation(pointer: "/cursor", detail: "is no cursor of an order; leave it out to begin with what is there")
    ])
  }

  /// One call: what it has sent, and what it still has to.
  private struct Session {
    let store: OrderStore
    let gate: LoopGate
    let responses: ResponseWriter<Order>
    let context: CallContext
    let request: WatchOrdersRequest
    /// Everything up to here has been sent; nil before anything was.
    var position: WatchPosition?
    /// `position` as a cursor.
    private var cursor: String?

    init(
      store: OrderStore, gate: LoopGate, responses: ResponseWriter<Order>, context: CallContext,
      request: WatchOrdersRequest
    ) {
      (self.store, self.gate, self.responses) = (store, gate, responses)
      (self.context, self.request) = (context, request)
      cursor = request.cursor
    }

    mutating func send(_ told: FollowerState.Told) async throws {
      var order = told.order
      if let position = told.position, position != self.position {
        self.position = position
        cursor = position.cursor
      }
      order.cursor = cursor
      try await responses.send(order)
    }

    private mutating func send(_ orders: [Order], upTo position: WatchPosition?) async throws {
      for (index, order) in orders.enumerated() {
        try await send(.init(order: order, position: index == orders.count - 1 ? position : nil))
      }
      if let position, orders.isEmpty {
        self.position = position
        cursor = position.cursor
      }
    }

    /// Sends what has changed since `position`, or what is there, and returns up to when that is.
    mutating func catchUp(_ target: WatchTarget) async throws -> WatchPosition {
      switch target {
      case .order(let id): try await catchUp(order: id)
      case .user(let id): try await catchUp(user: id)
      }
    }

    private mutating func catchUp(order id: UUID) async throws -> WatchPosition {
      if context.mustAuthorize || position != nil {
        guard let order = try await read({ try await store.order(id) }) else { throw noOrder(id) }
        try context.authorize(owner: order.userId, orThrow: noOrder(id))
      }
      var caught = try await read { try await store.changed(id, since: position) }
      if let position, !position.isBefore(caught.present) {
        caught = try await read { try await store.changed(id, since: nil) }
      }
      if position == nil, caught.orders.isEmpty { throw noOrder(id) }
      try await send(caught.orders, upTo: caught.present)
      return caught.present
    }

    private mutating func catchUp(user id: UUID) async throws -> WatchPosition {
      guard let since = position else {
        let count = request.recent.map { Int($0) } ?? OrderWatching.recentDefault
        let caught = try await read { try await store.newest(of: id, count: count) }
        try await send(caught.orders, upTo: caught.present)
        return caught.present
      }
      return try await catchUp(user: id, since: since)
    }

    private mutating func catchUp(user id: UUID, since: WatchPosition) async throws -> WatchPosition {
      var end: WatchPosition?
      var last: Order?
      while true {
        let page = try await read {
          try await store.changed(of: id, since: since, until: end, behind: last, size: OrderWatching.pageSize)
        }
        let present = end ?? page.present
        // A database that has lost the moment knows what there is, and not what is new.
        if end == nil, !since.isBefore(present) { return try await catchUp(user: id, since: .beginning) }
        try await send(page.orders, upTo: page.hasMore ? nil : present)
        if !page.hasMore { return present }
        (end, last) = (present, page.orders.last)
      }
    }

    /// Reads from the database, when it is this watcher's turn; what is read is sent outside of it, however slowly.
    private func read<Result>(_ body: () async throws -> Result) async throws -> Result {
      try await gate.within { try await translatingFailures(body) }
    }

    private func noOrder(_ id: UUID) -> RPCError {
      RPCError(.notFound, "no order has the id \(id)", reason: "NO_ORDER")
    }
  }
}
