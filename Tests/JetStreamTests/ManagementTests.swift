import EventLoop
import Testing
import TestSupport

@testable import JetStream

@Suite struct ManagementTests {
  @Test func `ensuring twice changes nothing, and a new wish is applied`() async throws {
    let scene = Scene("ensure")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      _ = try await client.publish(scene.message(1))
      try await client.ensure(scene.topology)
      var stream = scene.stream
      stream.maxAge = .seconds(3600)
      stream.subjects.append("\(scene.name)-more.>")
      try await client.ensureStream(stream)
      var consumer = scene.consumer
      consumer.filterSubjects = ["\(scene.name).created", "\(scene.name).settled"]
      consumer.ackPendingMax = 7
      consumer.backoff = [.seconds(1), .seconds(5)]
      consumer.deliveriesMax = 10
      try await client.ensureConsumer(consumer)
      try await client.ensureConsumer(consumer)
      consumer.filterSubjects = ["\(scene.name).created"]
      consumer.backoff = []
      try await client.ensureConsumer(consumer)

      let config = try #require(try await client.streamInfo(scene.name)["config"])
      #expect(config["max_age"] == .integer(3_600_000_000_000))
      #expect(config["subjects"]?.array?.count == 2)
      let consumerConfig = try #require(
        try await client.consumerInfo(stream: scene.name, name: "reader")["config"])
      #expect(consumerConfig.differences(from: consumer.json) == [])
      #expect(try await client.message(stream: scene.name, sequence: 1).payload == Array("message 1".utf8))
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `what cannot be changed is named`() async throws {
    let scene = Scene("mismatch")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      var stream = scene.stream
      stream.storage = .memory
      let error = await #expect(throws: JetStreamError.self) { try await client.ensureStream(stream) }
      #expect(error?.code == .configurationMismatch)
      #expect(error?.detail?.contains("storage is \"file\", wanted \"memory\"") == true)
      var consumer = scene.consumer
      consumer.deliverPolicy = .new
      let other = await #expect(throws: JetStreamError.self) { try await client.ensureConsumer(consumer) }
      #expect(other?.code == .configurationMismatch)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `messages are found by sequence and by subject`() async throws {
    let scene = Scene("get")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      var other = scene.message(2)
      other.subject = "\(scene.name).other"
      for message in [scene.message(1), other, scene.message(3)] { _ = try await client.publish(message) }
      let first = try await client.message(stream: scene.name, sequence: 1)
      #expect(first.subject == "\(scene.name).created")
      #expect(first.sequence == 1)
      #expect(first.headers[MessageHeaders.messageID] == "\(scene.name)-1")
      #expect(first.headers["number"] == "1")
      #expect(try await client.lastMessage(stream: scene.name, subject: "\(scene.name).created").sequence == 3)
      #expect(try await client.message(stream: scene.name, from: 1, subject: "\(scene.name).other").sequence == 2)
      let error = await #expect(throws: JetStreamError.self) {
        _ = try await client.message(stream: scene.name, sequence: 4)
      }
      #expect(error?.code == .notFound)
      try await client.deleteMessage(stream: scene.name, sequence: 1)
      #expect(try await client.purge(stream: scene.name, subject: "\(scene.name).other") == 1)
      #expect(try await client.purge(stream: scene.name) == 1)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `streams and consumers are listed, and what is deleted is not found`() async throws {
    let scene = Scene("list")
    try await withClient(url: try TestNATS.sharedURL(), topology: scene.topology) { client in
      let streams = try await client.listStreams()
      #expect(streams.contains { $0["config"]?["name"]?.string == scene.name })
      let consumers = try await client.listConsumers(stream: scene.name)
      #expect(consumers.map { $0["name"]?.string } == ["reader"])
      try await client.deleteConsumer(stream: scene.name, name: "reader")
      #expect(try await client.listConsumers(stream: scene.name) == [])
      try await client.deleteStream(scene.name)
      let error = await #expect(throws: JetStreamError.self) { try await client.deleteStream(scene.name) }
      #expect(error?.code == .notFound)
    }
  }
}
