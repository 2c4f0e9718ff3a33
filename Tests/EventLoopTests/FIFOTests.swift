import EventLoop
import Testing

@Suite struct FIFOTests {
  @Test func `elements leave in the order they came, however the two are mixed`() {
    var fifo = FIFO<Int>()
    var next = 0
    var expected = 0
    for round in 0..<500 {
      for _ in 0..<(round % 7) {
        fifo.append(next)
        next += 1
      }
      for _ in 0..<(round % 5) where expected < next {
        #expect(fifo.first == expected)
        #expect(fifo.popFirst() == expected)
        expected += 1
      }
    }
    while let element = fifo.popFirst() {
      #expect(element == expected)
      expected += 1
    }
    #expect(expected == next)
    #expect(fifo.isEmpty && fifo.first == nil)
  }

  @Test func `elements are taken out wherever they stand`() {
    var fifo = FIFO<Int>()
    for number in 0..<10 { fifo.append(number) }
    for _ in 0..<3 { _ = fifo.popFirst() }
    fifo.removeAll { $0 % 2 == 0 }
    #expect(fifo.count == 4 && fifo.first == 3)
    fifo.append(11)
    var left: [Int] = []
    while let next = fifo.popFirst() { left.append(next) }
    #expect(left == [3, 5, 7, 9, 11])
    fifo.removeAll { _ in true }
    #expect(fifo.isEmpty)
  }
}
