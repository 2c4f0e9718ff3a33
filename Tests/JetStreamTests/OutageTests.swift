import EventLoop
import JSON
import Testing
import TestSupport

@testable import JetStream

/// What survives a broker that is killed, wiped, frozen or late.
@Suite struct OutageTests {
  @Test func `publishing fails while the broker is down, and works again when it is back`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("publish")
      try await withClient(url: server.url, streams: [scene.stream]) { client in
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
      try await withClient(url: server.url, streams: [scene.stream]) { client in
        server.setFrozen(true)
        let publishing = client.loop.startTask {
          await #expect(throws: JetStreamError.self) { try await client.publish((1...6000).map { scene.message($0) }) }
        }
        server.kill()
        await publishing.value
        try server.start()
        try await eventually(on: client.loop) { try await client.publish((1...6000).map { scene.message($0) }) }
        #expect(try await client.streamInfo(scene.name)["state"]?["messages"]?.integer == 6000)
      }
    }
  }

  @Test func `a reader is told that the broker was killed, and goes on where it was`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("resume")
      try await withClient(url: server.url, streams: [scene.stream]) { client in
        let lost = try await client.read(scene.name, from: 1)
        try await client.publish([scene.message(1), scene.message(2)])
        var last: UInt64 = 0
        while last < 2 { last = try await lost.next(10).last?.sequence ?? last }
        server.kill()
        await #expect(throws: JetStreamError.self) { _ = try await lost.next(1) }
        try server.start()
        try await eventually(on: client.loop) { _ = try await client.publish(scene.message(3)) }
        // It stays lost.
        await #expect(throws: JetStreamError.self) { _ = try await lost.next(1) }
        let next = try await client.read(scene.name, from: last + 1)
        #expect(try await next.next(10).map(\.sequence) == [3])
      }
    }
  }

  @Test func `a wiped store gets its streams back, which are told from those before`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("wiped")
      try await withClient(url: server.url, streams: [scene.stream]) { client in
        _ = try await client.publish(scene.message(1))
        let before = try #require(try await client.streamInfo(scene.name)["created"]?.string)
        server.kill()
        server.wipe()
        try server.start()
        let ack = try await eventually(on: client.loop) { try await client.publish(scene.message(2)) }
        #expect(ack.sequence == 1)
        #expect(try await client.streamInfo(scene.name)["created"]?.string != before)
        #expect(try await client.read(scene.name, from: 1).next(1)[0].payload == Array("message 2".utf8))
      }
    }
  }

  @Test func `a stream deleted under a running client is made again, and a consumer is not`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("deleted")
      try await withClient(url: server.url, streams: [scene.stream]) { client in
        let consumer = try await client.read(scene.name, from: 1)
        _ = try await client.publish(scene.message(1))
        _ = try await consumer.next(1)
        try await client.deleteConsumer(stream: scene.name, name: consumer.name)
        let error = await #expect(throws: JetStreamError.self) { _ = try await consumer.next(1) }
        #expect(error?.code == .unavailable)
        try await client.deleteStream(scene.name)
        let ack = try await eventually(on: client.loop) { try await client.publish(scene.message(2)) }
        #expect(ack.sequence == 1)
      }
    }
  }

  @Test func `a frozen broker's reader is told, for want of signs of life`() async throws {
    try await TestNATS.withServer { server in
      let scene = Scene("lifeless")
      try await withClient(url: server.url, streams: [scene.stream]) { client in
        let consumer = try await client.read(scene.name, from: 1)
        server.setFrozen(true)
        let start = client.loop.now
        await #expect(throws: JetStreamError.self) { _ = try await consumer.next(1) }
        #expect(client.loop.now - start < .seconds(10))
        server.setFrozen(false)
      }
    }
  }

  @Test func `a client starts while the broker is down`() async throws {
    try await TestNATS.withServer { server in
      server.kill()
      let scene = Scene("late")
      let url = server.url
      let stream = scene.stream
      try await onLoop { loop in
        let client = JetStreamClient(
          loop: loop, options: JetStreamClient.Options(url: url, name: "late"), streams: [stream])
        let run = loop.startTask { await client.run() }
        await #expect(throws: JetStreamError.self) { try await client.waitUntilReady(within: .milliseconds(200)) }
        await #expect(throws: JetStreamError.disconnected) { _ = try await client.publish(scene.message(1)) }
        try server.start()
        try await client.waitUntilReady(within: .seconds(20))
        _ = try await client.publish(scene.message(1))
        #expect(try await client.read(scene.name, from: 1).next(10).count == 1)
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
        try await withClient(url: "\(dead.url),\(live.url)", streams: [scene.stream]) { client in
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
        url: server.url, streams: [scene.stream],
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
        url: server.url, streams: [scene.stream], configure: { $0.publishTimeout = .milliseconds(300) }
      ) { client in
        server.setFrozen(true)
        let start = client.loop.now
        let big = [UInt8](repeating: 1, count: 100_000)
        for number in 1...200 {
          let message = OutgoingMessage(subject: "\(scene.name).big", messageID: "\(number)", payload: big)
          let publishing = client.loop.startTask {
            let error = await #expect(throws: JetStreamError.self) { _ = try await client.publish(message) }
            // What the socket does not take fills the buffer, and then more is refused.
            #expect(error?.code == .timeout || error?.code == .overloaded)
          }
          if number == 200 { await publishing.value }
        }
        #expect(client.loop.now - start < .seconds(3))
        await client.close(patience: .milliseconds(200))
        #expect(client.loop.now - start < .seconds(4))
        server.setFrozen(false)
      }
    }
  }
}
