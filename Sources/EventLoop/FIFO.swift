// Public and inlinable, so that each module has its own code for its elements.
/// A queue in one array; taking from the front costs no shift of what is behind.
public struct FIFO<Element> {
  /// Slots given up at the front before the array is compacted; smaller queues empty themselves often enough.
  @usableFromInline static var slackMax: Int { 64 }

  @usableFromInline var slots: [Element?] = []
  @usableFromInline var head = 0

  /// An empty queue.
  @inlinable public init() {}

  /// Elements in the queue.
  @inlinable public var count: Int { slots.count - head }
  /// Whether nothing is in the queue.
  @inlinable public var isEmpty: Bool { head == slots.count }
  /// The element that comes out next.
  @inlinable public var first: Element? { isEmpty ? nil : slots[head] }

  /// Adds an element at the end.
  @inlinable
  public mutating func append(_ element: Element) { slots.append(element) }

  /// Takes out every element that is not wanted; the others stay in order.
  @inlinable
  public mutating func removeAll(where isUnwanted: (Element) -> Bool) {
    slots = slots[head...].filter { !isUnwanted($0!) }
    head = 0
  }

  /// Takes the element at the front; nil when there is none.
  @inlinable
  public mutating func popFirst() -> Element? {
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
