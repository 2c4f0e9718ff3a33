internal import HTTP
internal import RPC

/// Counts the streams that are open, in all and of each caller who is known. No I/O.
struct OpenStreams: Sendable {
  /// Streams that may be open at once.
  private static let countMax = 50_000
  /// Those of one user: enough for every page that one has open, and for a server that watches in many users' names.
  private static let countMaxOfUser = 1_000

  /// Streams that are open.
  private(set) var count = 0
  private var countsOfUsers: [String: Int] = [:]

  /// Refuses one more stream where there are too many.
  func check(_ user: String?) throws(Problem) {
    if count >= Self.countMax {
      throw Problem(
        status: .serviceUnavailable, code: StatusCode.resourceExhausted.name,
        detail: "Too many streams are open. Try again later.", fields: [("Retry-After", "5")])
    }
    guard let user, countsOfUsers[user, default: 0] >= Self.countMaxOfUser else { return }
    throw Problem(
      status: HTTPStatus(429), code: StatusCode.resourceExhausted.name, reason: "TOO_MANY_STREAMS_OF_USER",
      detail: "\(Self.countMaxOfUser) streams of yours are open, which is as many as may be. End some of them.",
      fields: [("Retry-After", "5")])
  }

  /// A stream begins, of a user who is known or of somebody.
  mutating func begin(_ user: String?) {
    count += 1
    if let user { countsOfUsers[user, default: 0] += 1 }
  }

  /// A stream ends that has begun.
  mutating func end(_ user: String?) {
    count -= 1
    guard let user, let open = countsOfUsers[user] else { return }
    countsOfUsers[user] = open > 1 ? open - 1 : nil
  }
}
