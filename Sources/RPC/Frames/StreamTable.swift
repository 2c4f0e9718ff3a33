/// Values by the number of a stream.
///
/// Streams are numbered upwards, so nearly all that are open have a place of their own in a ring. One whose place is
/// taken, because it or the other has been open for long, goes to a dictionary.
struct StreamTable<Value> {
  private struct Entry {
    let stream: UInt32
    var value: Value
  }

  /// Places of the ring when something is in it; a power of two.
  private static var placesMin: Int { 16 }
  /// The ring grows no further: what is left of it in an idle connection is given back.
  private static var placesMax: Int { 16_384 }

  private var ring: [Entry?] = []
  private var strays: [UInt32: Value] = [:]
  private var ringCount = 0

  /// An empty table.
  init() {}

  /// Values in the table.
  var count: Int { ringCount + strays.count }

  /// Whether there is none.
  var isEmpty: Bool { ringCount == 0 && strays.isEmpty }

  /// All values, in no order.
  var values: [Value] { ring.compactMap { $0?.value } + strays.values }

  /// All streams with a value, in no order.
  var streams: [UInt32] { ring.compactMap { $0?.stream } + strays.keys }

  /// The value of a stream; nil when it has none.
  subscript(stream: UInt32) -> Value? {
    get {
      if let entry = entry(stream) { return entry.value }
      return strays.isEmpty ? nil : strays[stream]
    }
    set {
      if let newValue { insert(newValue, stream) } else { _ = removeValue(forKey: stream) }
    }
  }

  /// Takes the value of a stream out; nil when it has none.
  mutating func removeValue(forKey stream: UInt32) -> Value? {
    guard let entry = entry(stream) else { return strays.isEmpty ? nil : strays.removeValue(forKey: stream) }
    ring[place(stream)] = nil
    ringCount -= 1
    if ringCount == 0, ring.count > 1_024 { ring = [] }
    return entry.value
  }

  /// Takes all values out.
  mutating func removeAll() { self = StreamTable() }

  private func place(_ stream: UInt32) -> Int { Int(stream) & (ring.count - 1) }

  private func entry(_ stream: UInt32) -> Entry? {
    guard !ring.isEmpty, let entry = ring[place(stream)], entry.stream == stream else { return nil }
    return entry
  }

  private mutating func insert(_ value: Value, _ stream: UInt32) {
    if strays[stream] != nil {
      strays[stream] = value
      return
    }
    if ring.isEmpty { ring = Array(repeating: nil, count: Self.placesMin) }
    while let taken = ring[place(stream)], taken.stream != stream {
      guard ringCount * 2 >= ring.count, ring.count < Self.placesMax else {
        strays[stream] = value
        return
      }
      grow()
    }
    let place = place(stream)
    if ring[place] == nil { ringCount += 1 }
    ring[place] = Entry(stream: stream, value: value)
  }

  private mutating func grow() {
    let entries = ring
    ring = Array(repeating: nil, count: entries.count * 2)
    for case let entry? in entries { ring[place(entry.stream)] = entry }
  }
}
