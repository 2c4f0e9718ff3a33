import TestSupport
import Testing

@testable import Messaging

@Suite struct LaneShareTests {
  @Test(arguments: [
    (0, 1, 16), (16, 1, 0), (16, 2, -8), (0, 2, 8), (8, 2, 0), (8, 3, -2), (6, 3, 0), (4, 3, 2), (0, 16, 1), (1, 20, 0),
    (0, 20, 1), (0, 0, 16),
  ])
  func `a share is the same for all, rounded up`(held: Int, members: Int, change: Int) {
    #expect(LaneShare.change(held: held, of: 16, members: members) == change)
  }

  @Test func `whoever comes and goes, all lanes are held in the end, evenly, and then nothing moves`() {
    var random = SeededRandom()
    for _ in 0..<200 {
      var held: [[Int]] = [Array(0..<16)]
      var free: [Int] = []
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        if held.count > 1, Bool.random(using: &random) {
          free += held.remove(at: Int.random(in: held.indices, using: &random))
        } else {
          held.append([])
        }
        // Each looks now and then, in whatever order.
        for _ in 0..<(held.count * 8) { Self.look(Int.random(in: held.indices, using: &random), &held, &free) }
        for index in held.indices { Self.look(index, &held, &free) }
        for index in held.indices { Self.look(index, &held, &free) }
        let settled = held
        for index in held.indices { Self.look(index, &held, &free) }
        let share = (16 + held.count - 1) / held.count
        #expect(held == settled && free.isEmpty && held.allSatisfy { $0.count <= share }, "seed \(random.seed)")
        #expect(held.flatMap { $0 }.sorted() == Array(0..<16), "seed \(random.seed)")
      }
    }
  }

  private static func look(_ index: Int, _ held: inout [[Int]], _ free: inout [Int]) {
    let change = LaneShare.change(held: held[index].count, of: 16, members: held.count)
    if change > 0 {
      held[index] += free.suffix(change)
      free.removeLast(min(change, free.count))
    } else {
      free += held[index].suffix(-change)
      held[index].removeLast(-change)
    }
  }
}
