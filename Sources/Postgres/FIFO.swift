/// A queue in one array; taking from the front costs no shift of what is behind.
struct FIFO<Element> {
  /// Slots given up at the front before the array is compacted; smaller queues empty themselves often enough.
  private static var slackMax: Int { 64 }

  private var slots: [Element?] = []
  private var head = 0

  init() {}

  var isEmpty: Bool { head == slots.count }
  var first: Element? { isEmpty ? nil : slots[head] }

  mutating func append(_ element: Element) { slots.append(element) }

  mutating func popFirst() -> Element? {
    if isEmpty { return nil }
    let element = slots[head].take()
    head += 1
    if head == slots.count {
      slots.removeAll(keepingCapacity: true)
      head = 0
    } else if head > Self.slackMax && head > slots.count / 2 {
      slots.removeFirst(head)
      head = 0
    }
    return element
  }
}
