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
}
