import EventLoop
import Testing
import TestSupport

@testable import JetStream

@Suite struct JetStreamClientTests {
  @Test func `a published message is delivered with its headers, and acknowledged`() async throws {
    let scene = Scene("deliver")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      let ack = try await client.publish(scene.message(1))
      #expect(ack == PublishAck(stream: scene.name, sequence: 1, isDuplicate: false))
      let consumer = client.consumer(stream: scene.name, name: "reader")
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
      message.ack()
      try await eventually(on: client.loop) {
        let info = try await client.consumerInfo(stream: scene.name, name: "reader")
        if info["ack_floor"]?["stream_seq"]?.integer != 1 { throw JetStreamError(.timeout, "not acknowledged yet") }
      }
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `the same message ID is stored once`() async throws {
    let scene = Scene("dedup")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
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
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      let results = await client.publishBatch((1...count).map { scene.message($0) })
      let sequences = try results.map { try $0.get().sequence }
      #expect(sequences == (1...UInt64(count)).map { $0 })

      let consumer = client.consumer(stream: scene.name, name: "reader")
      var numbers: [String] = []
      while numbers.count < count {
        let messages = try await consumer.next(256)
        #expect(messages.count <= 256)
        for message in messages {
          numbers.append(message.header("number") ?? "")
          message.ack()
        }
      }
      #expect(numbers == (1...count).map(String.init))
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `more than may wait is refused at once`() async throws {
    let scene = Scene("overload")
    try await withClient(
      url: try TestNATS.sharedURL(), topology: scene.topology, configure: { $0.publishWaitingMax = 10 }
    ) { client in
      let results = await client.publishBatch((1...11).map { scene.message($0) })
      #expect(throws: JetStreamError.self) { try results[0].get() }
      #expect(try await client.publish(scene.message(1)).sequence == 1)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a message is delivered again after nak, after its ack wait, and not after term`() async throws {
    var scene = Scene("redeliver")
    scene.consumer.ackWait = .milliseconds(500)
    let topology = scene.topology
    try await withClient(url: try TestNATS.sharedURL(), topology: topology) { [scene] client in
      _ = try await client.publish(scene.message(1))
      let consumer = client.consumer(stream: scene.name, name: "reader")
      let first = try await consumer.next(1)[0]
      first.nak(delay: .milliseconds(50))
      let second = try await consumer.next(1)[0]
      #expect(second.delivery.deliveryCount == 2)
      second.nak()
      let third = try await consumer.next(1)[0]
      #expect(third.delivery.deliveryCount == 3)
      let fourth = try await consumer.next(1)[0]
      #expect(fourth.delivery.deliveryCount == 4)
      fourth.inProgress()
      fourth.term("a test\nends it")
      _ = try await client.publish(scene.message(2))
      let next = try await consumer.next(1)[0]
      #expect(next.delivery.streamSequence == 2)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a consumer that is closed gives back all that it did not take, even what is on its way`() async throws {
    var scene = Scene("giveback")
    // What is not given back comes long after the test's time is up.
    scene.consumer.ackWait = .seconds(600)
    scene.consumer.ackPendingMax = 10_000
    let topology = scene.topology
    try await withClient(url: try TestNATS.sharedURL(), topology: topology) { [scene] client in
      // Half of them come while it closes, on a request that is open.
      let early = (1...2_000).map { scene.message($0) }
      let late = (2_001...4_000).map { scene.message($0) }
      for result in await client.publishBatch(early) { _ = try result.get() }
      let consumer = client.consumer(stream: scene.name, name: "reader", capacity: 4_096)
      let publishing = client.loop.startTask { _ = await client.publishBatch(late) }
      let taken = try await consumer.next(10)
      consumer.close()
      await consumer.untilClosed()
      await publishing.value
      let next = client.consumer(stream: scene.name, name: "reader", capacity: 4_096)
      let deadline = client.loop.schedule(after: .seconds(30)) { next.close() }
      defer { deadline.cancel() }
      var sequences = Set(taken.map(\.delivery.streamSequence))
      for message in taken { message.ack() }
      while sequences.count < 4_000 {
        for message in try await next.next(1_024) {
          sequences.insert(message.delivery.streamSequence)
          message.ack()
        }
      }
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a subject that no stream takes fails at once, and leaves others alone`() async throws {
    let scene = Scene("nobody")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      var lost = scene.message(1)
      lost.subject = "nobody-listens.here"
      let results = await client.publishBatch([scene.message(1), lost, scene.message(2)])
      #expect(try results[0].get().sequence == 1)
      #expect(throws: JetStreamError.noResponders) { try results[1].get() }
      #expect(try results[2].get().sequence == 2)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `a message larger than the broker takes is refused, and the connection lives on`() async throws {
    let scene = Scene("large")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      var large = scene.message(1)
      large.payload = [UInt8](repeating: 0, count: 2 << 20)
      let result = await client.publishBatch([large])[0]
      let error = #expect(throws: JetStreamError.self) { try result.get() }
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
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      let consumer = client.consumer(stream: scene.name, name: "reader")
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
