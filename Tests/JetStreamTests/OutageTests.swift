import EventLoop
import Testing
import TestSupport

@testable import JetStream

/// What survives a broker that is killed, wiped, frozen or late.
@Suite struct OutageTests {
  @Test func `publishing fails while the broker is down, and works again when it is back`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("publish")
      try await withClient(url: server.url, topology: scene.topology) { client in
        _ = try await client.publish(scene.message(1))
        server.kill()
        let error = try await eventually(on: client.loop) { () async throws -> JetStreamError in
          do {
            _ = try await client.publish(scene.message(2))
          } catch let error as JetStreamError {
            return error
          }
          throw JetStreamError(.timeout, "the broker is still up")
        }
        #expect(error.code == .unavailable)
        #expect(!client.health.isReady)
        #expect(client.health.problem?.contains("127.0.0.1") == true)
        try server.start()
        let ack = try await eventually(on: client.loop) { try await client.publish(scene.message(2)) }
        #expect(ack.sequence == 2)
        try await client.waitUntilReady(within: .seconds(5))
        #expect(client.health.problem == nil)
      }
    }
  }

  @Test func `what is in flight when the broker dies fails, with an unknown outcome`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("inflight")
      try await withClient(url: server.url, topology: scene.topology) { client in
        server.setFrozen(true)
        let publishing = client.loop.startTask {
          let results = await client.publishBatch((1...6000).map { scene.message($0) })
          #expect(results.count == 6000)
          for result in results {
            #expect(throws: JetStreamError.self) { try result.get() }
          }
        }
        server.kill()
        await publishing.value
        try server.start()
        let results = try await eventually(on: client.loop) {
          try await client.publishBatch((1...6000).map { scene.message($0) }).map { try $0.get() }
        }
        #expect(results.last?.sequence == 6000)
      }
    }
  }

  @Test func `a consumer goes on after the broker was killed`() async throws {
    try await TestNATS.withServer { server in
      var scene = Scene("resume")
      scene.consumer.ackWait = .seconds(1)
      try await withClient(url: server.url, topology: scene.topology) { [scene] client in
        let consumer = client.consumer(stream: scene.name, name: "reader")
        _ = try await client.publish(scene.message(1))
        let first = try await consumer.next(1)[0]
        server.kill()
        try server.start()
        try await eventually(on: client.loop) { _ = try await client.publish(scene.message(2)) }
        // Of an earlier connection: not sent, so the message comes again.
        first.ack()
        var sequences: Set<UInt64> = []
        while sequences.count < 2 {
          for message in try await consumer.next(10) {
            sequences.insert(message.delivery.streamSequence)
            message.ack()
          }
        }
        #expect(sequences == [1, 2])
      }
    }
  }

  @Test func `a wiped store gets its streams and consumers back, and consuming goes on`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("wiped")
      try await withClient(url: server.url, topology: scene.topology) { client in
        let consumer = client.consumer(stream: scene.name, name: "reader")
        _ = try await client.publish(scene.message(1))
        #expect(try await consumer.next(1)[0].payload == Array("message 1".utf8))
        server.kill()
        server.wipe()
        try server.start()
        let ack = try await eventually(on: client.loop) { try await client.publish(scene.message(2)) }
        #expect(ack.sequence == 1)
        let message = try await consumer.next(1)[0]
        #expect(message.payload == Array("message 2".utf8))
        message.ack()
      }
    }
  }

  @Test func `a stream deleted under a running client is made again`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("deleted")
      try await withClient(url: server.url, topology: scene.topology) { client in
        let consumer = client.consumer(stream: scene.name, name: "reader")
        _ = try await client.publish(scene.message(1))
        _ = try await consumer.next(1)
        try await client.deleteConsumer(stream: scene.name, name: "reader")
        // From the beginning: the new consumer knows of no acknowledgement.
        #expect(try await consumer.next(1)[0].delivery.streamSequence == 1)
        try await client.deleteStream(scene.name)
        let ack = try await eventually(on: client.loop) { try await client.publish(scene.message(2)) }
        #expect(ack.sequence == 1)
        #expect(try await consumer.next(1)[0].payload == Array("message 2".utf8))
      }
    }
  }

  @Test func `a client starts while the broker is down`() async throws {
    try await TestNATS.withServer { server in
      server.kill()
      let scene = Scene("late")
      let url = server.url
      let topology = scene.topology
      try await onLoop { loop in
        let client = JetStreamClient(
          loop: loop, options: JetStreamClient.Options(url: url, name: "late"), topology: topology)
        let run = loop.startTask { await client.run() }
        let consumer = client.consumer(stream: scene.name, name: "reader")
        await #expect(throws: JetStreamError.self) { try await client.waitUntilReady(within: .milliseconds(200)) }
        await #expect(throws: JetStreamError.disconnected) { _ = try await client.publish(scene.message(1)) }
        try server.start()
        try await client.waitUntilReady(within: .seconds(20))
        _ = try await client.publish(scene.message(1))
        #expect(try await consumer.next(10).count == 1)
        await client.close()
        await run.value
      }
    }
  }

  @Test func `of several servers, one that can be reached is used`() async throws {
    try await TestNATS.withServer { dead in
      dead.kill()
      try await TestNATS.withServer { live in
        let scene = Scene("several")
        try await withClient(url: "\(dead.url),\(live.url)", topology: scene.topology) { client in
          let ack = try await client.publish(scene.message(1))
          #expect(ack.sequence == 1)
        }
      }
    }
  }

  @Test func `a client that is closed before it runs does not connect`() async throws {
    try await onLoop { loop in
      let client = JetStreamClient(loop: loop, options: .init(url: "nats://127.0.0.1:1", name: "closed"))
      await client.close()
      await client.run()
      #expect(!client.health.isConnected)
      await #expect(throws: JetStreamError.closed) {
        _ = try await client.publish(OutgoingMessage(subject: "a", messageID: nil, payload: []))
      }
    }
  }

  @Test func `a silent broker is given up, and found again when it answers`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("silent")
      try await withClient(
        url: server.url, topology: scene.topology,
        configure: {
          $0.connection.pingInterval = .milliseconds(100)
          $0.connection.connectTimeout = .milliseconds(200)
        }
      ) { client in
        server.setFrozen(true)
        try await eventually(on: client.loop) {
          if client.health.isConnected { throw JetStreamError(.timeout, "not noticed yet") }
        }
        server.setFrozen(false)
        try await client.waitUntilReady(within: .seconds(20))
        let ack = try await client.publish(scene.message(1))
        #expect(ack.sequence == 1)
      }
    }
  }

  @Test func `a frozen broker blocks neither the loop nor the closing`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("frozen")
      try await withClient(
        url: server.url, topology: scene.topology, configure: { $0.publishTimeout = .milliseconds(300) }
      ) { client in
        server.setFrozen(true)
        let start = client.loop.now
        let big = [UInt8](repeating: 1, count: 100_000)
        let results = await client.publishBatch(
          (1...200).map { OutgoingMessage(subject: "\(scene.name).big", messageID: "\($0)", payload: big) })
        for result in results {
          let error = #expect(throws: JetStreamError.self) { try result.get() }
          // What the socket does not take fills the buffer, and then more is refused.
          #expect(error?.code == .timeout || error?.code == .overloaded)
        }
        #expect(client.loop.now - start < .seconds(3))
        await client.close(patience: .milliseconds(200))
        #expect(client.loop.now - start < .seconds(4))
        server.setFrozen(false)
      }
    }
  }
}
