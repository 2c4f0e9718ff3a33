/// What was answered under keys: before, and in the batch that is being decided. No I/O.
package struct KeyedAnswers: Sendable {
  /// What is to be done with a request.
  package enum Verdict: Equatable, Sendable {
    /// Its effect: it has no key, or the key is new.
    case isNew
    /// It is answered as the first time.
    case isRepeat(response: [UInt8])
    /// It is refused: its key was used with another request.
    case isAnother
  }

  private var known: [IdempotencyKey: KeyedAnswer]
  /// What is to be written down, in the transaction of the effects.
  package private(set) var new: [KeyedAnswer] = []

  /// Knows what was `found` in the table.
  package init(_ found: [KeyedAnswer] = []) {
    known = Dictionary(found.map { ($0.request.key, $0) }) { first, _ in first }
  }

  /// What is to be done with `request`.
  package func verdict(on request: IdempotentRequest?) -> Verdict {
    guard let request, let first = known[request.key] else { return .isNew }
    return first.request.request == request.request ? .isRepeat(response: first.response) : .isAnother
  }

  /// Remembers the response to a request that was new.
  package mutating func keep(_ response: @autoclosure () -> [UInt8], to request: IdempotentRequest?) {
    guard let request else { return }
    let answer = KeyedAnswer(to: request, response: response())
    known[request.key] = answer
    new.append(answer)
  }
}
