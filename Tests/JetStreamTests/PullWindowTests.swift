import EventLoop
import Testing

@testable import JetStream

@Suite struct PullWindowTests {
  private let start = LoopInstant(nanoseconds: 1_000_000_000)

  private func window(capacity: Int = 100) -> PullWindow {
    PullWindow(capacity: capacity, heartbeat: .seconds(5), now: start)
  }

  @Test func `more is asked for when half of the capacity is free`() {
    var window = window()
    #expect(window.requestCount(buffered: 0) == 100)
    window.requested(100, now: start)
    #expect(window.requestCount(buffered: 0) == nil)
    for _ in 1...60 { window.messageReceived(now: start) }
    #expect(window.requestCount(buffered: 60) == nil)
    #expect(window.requestCount(buffered: 11) == nil)
    #expect(window.requestCount(buffered: 10) == 50)
  }

  @Test func `a capacity of one works`() {
    var window = window(capacity: 1)
    #expect(window.requestCount(buffered: 0) == 1)
    window.requested(1, now: start)
    #expect(window.requestCount(buffered: 0) == nil)
    window.messageReceived(now: start)
    #expect(window.requestCount(buffered: 1) == nil)
    #expect(window.requestCount(buffered: 0) == 1)
  }

  @Test func `an ended request gives back what it did not fill`() {
    var window = window()
    window.requested(100, now: start)
    let expired = PullStatus(code: 408, description: "Request Timeout", unfilledCount: 70)
    #expect(window.statusReceived(expired, now: start) == .proceed)
    #expect(window.requestCount(buffered: 0) == 70)
  }

  @Test(arguments: [
    (PullStatus(code: 100, description: "Idle Heartbeat"), PullWindow.Action.proceed, false),
    (PullStatus(code: 404, description: "No Messages"), .proceed, true),
    (PullStatus(code: 408, description: "Request Timeout"), .proceed, true),
    (PullStatus(code: 409, description: "Batch Completed"), .proceed, true),
    (PullStatus(code: 409, description: "Leadership Change"), .lost, true),
    (PullStatus(code: 409, description: "Exceeded MaxWaiting"), .pause, true),
    (PullStatus(code: 409, description: "Server Shutdown"), .lost, true),
    (PullStatus(code: 409, description: "Consumer Deleted"), .lost, true),
    (PullStatus(code: 400, description: "Bad Request"), .pause, true),
    (PullStatus(code: 408, description: "", unfilledCount: -5), .proceed, false),
    (PullStatus(code: 408, description: "", unfilledCount: .max), .proceed, true),
  ])
  func `statuses`(status: PullStatus, action: PullWindow.Action, isEmptied: Bool) {
    var window = window()
    window.requested(100, now: start)
    #expect(window.statusReceived(status, now: start) == action)
    #expect((window.requestCount(buffered: 0) == 100) == isEmptied)
  }

  @Test func `missing heartbeats are noticed while something is awaited`() {
    var window = window()
    #expect(!window.isOverdue(now: start + .seconds(60)))
    window.requested(100, now: start + .seconds(60))
    #expect(!window.isOverdue(now: start + .seconds(70)))
    #expect(window.isOverdue(now: start + .seconds(73)))
    _ = window.statusReceived(PullStatus(code: 100, description: ""), now: start + .seconds(70))
    #expect(!window.isOverdue(now: start + .seconds(73)))
  }
}
