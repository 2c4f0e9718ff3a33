import EventLoop
import JSON
import Testing
import TestSupport

@testable import JetStream

@Suite struct JetStreamClientTests {
  @Test func `a published message is delivered with its headers`() async throws {
    let scene = Scene("deliver")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      let ack = try await client.publish(scene.message(1))
      #expect(ack == PublishAck(stream: scene.name, sequence: 1, isDuplicate: false))
      let consumer = try await client.read(scene.name, from: 1)
      let messages = try await consumer.next(10)
      #expect(messages.count == 1)
      let message = messages[0]
      #expect(message.subject == "\(scene.name).created")
      #expect(message.payload == Array("message 1".utf8))
      #expect(message.messageID == "\(scene.name)-1")
      #expect(message.header("number") == "1")
      #expect(message.header("absent") == nil)
      #expect(message.headers.entries.count == 2)
      #expect(message.delivery.streamSequence == 1)
      #expect(message.delivery.consumerSequence == 1)
      #expect(message.delivery.deliveryCount == 1)
      #expect(message.delivery.nanosecondsSince1970 > 1_700_000_000_000_000_000)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `the same message ID is stored once`() async throws {
    let scene = Scene("dedup")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      let first = try await client.publish(scene.message(1))
      let second = try await client.publish(scene.message(1))
      #expect(!first.isDuplicate)
      #expect(second.isDuplicate)
      #expect(second.sequence == first.sequence)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a batch larger than the window goes through in order, and comes back in batches`() async throws {
    let scene = Scene("batch")
    let count = 20_000
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      try await client.publish((1...count).map { scene.message($0) })
      let consumer = try await client.read(scene.name, from: 1)
      var numbers: [String] = []
      while numbers.count < count {
        let messages = try await consumer.next(256)
        #expect(messages.count <= 256)
        numbers += messages.map { $0.header("number") ?? "" }
      }
      #expect(numbers == (1...count).map(String.init))
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `batches of several callers go through side by side, and all arrive`() async throws {
    let scene = Scene("callers")
    try await withClient(
      url: try TestNATS.sharedURL(), streams: [scene.stream], configure: { $0.publishInFlightMax = 100 }
    ) { client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 0..<20 {
          group.addTask { try await client.publish((1...300).map { scene.message($0, id: "\(caller)-\($0)") }) }
        }
        try await group.waitForAll()
      }
      #expect(try await client.streamInfo(scene.name)["state"]?["messages"]?.integer == 6_000)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `more than may wait is refused at once`() async throws {
    let scene = Scene("overload")
    try await withClient(
      url: try TestNATS.sharedURL(), streams: [scene.stream], configure: { $0.publishWaitingMax = 10 }
    ) { client in
      let error = await #expect(throws: JetStreamError.self) {
        try await client.publish((1...11).map { scene.message($0) })
      }
      #expect(error?.code == .overloaded)
      #expect(try await client.publish(scene.message(1)).sequence == 1)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a reader begins where it wants, and sees only the subjects it wants`() async throws {
    let scene = Scene("place")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      var others = (1...10).map { scene.message($0) }
      for index in others.indices where index % 2 == 1 { others[index].subject = "\(scene.name).other.\(index)" }
      try await client.publish(others)
      for (subjects, from, wanted) in [
        ([], 8, [8, 9, 10]), (["\(scene.name).created"], 4, [5, 7, 9]),
        (["\(scene.name).created", "\(scene.name).other.3"], 1, [1, 3, 4, 5, 7, 9]),
      ] as [([String], UInt64, [UInt64])] {
        let consumer = try await client.read(scene.name, subjects: subjects, from: from)
        var sequences: [UInt64] = []
        while sequences.count < wanted.count { sequences += try await consumer.next(100).map(\.sequence) }
        #expect(sequences == wanted)
        consumer.close()
      }
      // Behind the end: what comes next.
      let consumer = try await client.read(scene.name, from: 12)
      for number in 11...12 { _ = try await client.publish(scene.message(number)) }
      #expect(try await consumer.next(1).map(\.sequence) == [12])
      #expect(try await consumer.next(1, atMost: .milliseconds(50)).isEmpty, "what is gone never comes")
      _ = try await client.publish(scene.message(13))
      #expect(try await consumer.next(1, atMost: .seconds(60)).map(\.sequence) == [13])
      try await client.deleteStream(scene.name)
      await #expect(throws: JetStreamError.self) { _ = try await client.read("nowhere", from: 1) }
    }
  }

  @Test func `a reader begins at a time, and knows how much there is to read`() async throws {
    let scene = Scene("time")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      for number in 1...6 {
        _ = try await client.publish(scene.message(number))
        try await client.loop.sleep(for: .milliseconds(2))
      }
      let time = try await client.message(stream: scene.name, sequence: 4).time
      let consumer = try await client.read(scene.name, from: .time(time))
      #expect(consumer.pendingCount == 3)
      var sequences: [UInt64] = []
      while sequences.count < 3 { sequences += try await consumer.next(100).map(\.sequence) }
      #expect(sequences == [4, 5, 6])
      let later = try await client.read(scene.name, from: .time("2099-01-01T00:00:00Z"))
      #expect(later.pendingCount == 0)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a reader that is closed is forgotten by the broker`() async throws {
    let scene = Scene("forget")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      let consumer = try await client.read(scene.name, from: 1)
      #expect(try await client.listConsumers(stream: scene.name).count == 1)
      consumer.close()
      try await eventually(on: client.loop) {
        let left = try await client.listConsumers(stream: scene.name)
        if !left.isEmpty { throw JetStreamError(.timeout, "not forgotten yet") }
      }
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a subject that no stream takes fails at once, and leaves others alone`() async throws {
    let scene = Scene("nobody")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      var lost = scene.message(1)
      lost.subject = "nobody-listens.here"
      let nowhere = client.loop.startTask { [lost] in
        await #expect(throws: JetStreamError.noResponders) { _ = try await client.publish(lost) }
      }
      #expect(try await client.publish(scene.message(1)).sequence == 1)
      await nowhere.value
      #expect(try await client.publish(scene.message(2)).sequence == 2)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a message larger than the broker takes is refused, and the connection lives on`() async throws {
    let scene = Scene("large")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      var large = scene.message(1)
      large.payload = [UInt8](repeating: 0, count: 2 << 20)
      let messages = [large]
      let error = await #expect(throws: JetStreamError.self) { try await client.publish(messages) }
      #expect(error?.code == .invalidArgument)
      #expect(try await client.publish(scene.message(1)).sequence == 1)
      try await client.deleteStream(scene.name)
    }
  }

  @Test(arguments: ["", "a b", "a\r\nPUB x 0", "a.*", "a.>"])
  func `a subject that would break the framing is refused`(subject: String) async throws {
    let message = OutgoingMessage(subject: subject, messageID: nil, payload: [])
    #expect(throws: JetStreamError.self) { try message.validate() }
  }

  @Test func `next ends when its task is cancelled, and when the consumer is closed`() async throws {
    let scene = Scene("cancel")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      let consumer = try await client.read(scene.name, from: 1)
      let cancelled = client.loop.startTask {
        await #expect(throws: CancellationError.self) { _ = try await consumer.next(1) }
      }
      cancelled.cancel()
      await cancelled.value
      let closed = client.loop.startTask {
        await #expect(throws: JetStreamError.closed) { _ = try await consumer.next(1) }
      }
      consumer.close()
      await closed.value
      try await client.deleteStream(scene.name)
    }
  }
}
