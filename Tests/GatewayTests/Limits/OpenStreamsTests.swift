import HTTP
import Testing

@testable import Gateway

@Suite struct OpenStreamsTests {
  private func status(_ streams: OpenStreams, _ user: String?) -> Int {
    do throws(Problem) {
      try streams.check(user)
      return 200
    } catch {
      return error.status.code
    }
  }

  @Test func `a user has so many, and those of others and of strangers do not count`() {
    var streams = OpenStreams()
    for _ in 0..<1_000 { streams.begin("ann") }
    for _ in 0..<2_000 { streams.begin(nil) }
    #expect(status(streams, "ann") == 429 && status(streams, "bob") == 200 && status(streams, nil) == 200)
    streams.end("ann")
    #expect(status(streams, "ann") == 200 && streams.count == 2_999)
  }

  @Test func `there are no more in all than may be`() {
    var streams = OpenStreams()
    for number in 0..<50_000 { streams.begin("user \(number)") }
    #expect(status(streams, "ann") == 503 && status(streams, nil) == 503)
    for number in 0..<50_000 { streams.end("user \(number)") }
    #expect(streams.count == 0 && status(streams, nil) == 200)
  }
}
