import TestSupport
import Testing

@testable import RPC

@Suite struct StreamTableTests {
  @Test func `a table holds what a dictionary holds, whatever is put in and taken out`() {
    var random = SeededRandom()
    for _ in 0..<20 {
      var (table, dictionary) = (StreamTable<Int>(), [UInt32: Int]())
      var last: UInt32 = 0
      let longevity = Int.random(in: 1...300, using: &random)
      for step in 0..<3_000 {
        last += UInt32.random(in: 1...(step % 50 == 0 ? 5_000 : 2), using: &random)
        table[last] = step
        dictionary[last] = step
        while dictionary.count > longevity {
          let stream = dictionary.keys.sorted().prefix(longevity).randomElement(using: &random)!
          #expect(table.removeValue(forKey: stream) == dictionary.removeValue(forKey: stream), "seed \(random.seed)")
          #expect(table[stream] == nil && table.removeValue(forKey: stream) == nil, "seed \(random.seed)")
        }
        if let stream = dictionary.keys.randomElement(using: &random) {
          #expect(table[stream] == dictionary[stream], "seed \(random.seed)")
          (table[stream], dictionary[stream]) = (-step, -step)
        }
        #expect(table.count == dictionary.count, "seed \(random.seed)")
      }
      #expect(table.streams.sorted() == dictionary.keys.sorted(), "seed \(random.seed)")
      #expect(table.values.sorted() == dictionary.values.sorted(), "seed \(random.seed)")
      for stream in dictionary.keys { table[stream] = nil }
      #expect(table.isEmpty && table.values.isEmpty, "seed \(random.seed)")
    }
  }

  @Test func `a stream that stays open gives way to none of those that come and go`() {
    var table = StreamTable<String>()
    table[5] = "long"
    for stream in 6...100_000 as ClosedRange<UInt32> {
      table[stream] = "short"
      #expect(table.removeValue(forKey: stream) == "short")
    }
    #expect(table[5] == "long" && table.count == 1)
  }
}
