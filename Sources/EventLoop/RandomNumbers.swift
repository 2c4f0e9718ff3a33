internal import CUV

/// Random numbers of the system, fetched many at a time: a system call for each costs more than a request's parsing.
package struct RandomNumbers: RandomNumberGenerator {
  /// How many are fetched at once.
  private static let count = 256

  private var numbers: [UInt64] = []

  /// A generator that has fetched nothing yet.
  package init() {}

  package mutating func next() -> UInt64 {
    if numbers.isEmpty { fetch() }
    return numbers.removeLast()
  }

  private mutating func fetch() {
    numbers = Array(unsafeUninitializedCapacity: Self.count) { buffer, count in
      // Without a callback it is done at once.
      let code = uv_random(nil, nil, buffer.baseAddress, buffer.count * MemoryLayout<UInt64>.size, 0, nil)
      precondition(code == 0, "the system gives no random numbers")
      count = buffer.count
    }
  }
}
