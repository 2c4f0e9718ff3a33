import EventLoop
import JSON
import Testing
import TestSupport

@testable import JetStream

@Suite struct ManagementTests {
  @Test func `ensuring twice changes nothing, and a new wish is applied`() async throws {
    let scene = Scene("ensure")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      _ = try await client.publish(scene.message(1))
      try await client.ensure([scene.stream])
      var stream = scene.stream
      stream.maxAge = .seconds(3600)
      stream.subjects.append("\(scene.name)-more.>")
      try await client.ensureStream(stream)
      let config = try #require(try await client.streamInfo(scene.name)["config"])
      #expect(config["max_age"] == .integer(3_600_000_000_000))
      #expect(config["subjects"]?.array?.count == 2)
      #expect(try await client.message(stream: scene.name, sequence: 1).payload == Array("message 1".utf8))
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `what cannot be changed is named`() async throws {
    let scene = Scene("mismatch")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      var stream = scene.stream
      stream.storage = .memory
      let error = await #expect(throws: JetStreamError.self) { try await client.ensureStream(stream) }
      #expect(error?.code == .configurationMismatch)
      #expect(error?.detail?.contains("storage is \"file\", wanted \"memory\"") == true)
      try await client.deleteStream(scene.name)
    }
  }

  @Test func `messages are found by sequence and by subject`() async throws {
    let scene = Scene("get")
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
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
    try await withClient(url: try TestNATS.sharedURL(), streams: [scene.stream]) { client in
      let streams = try await client.listStreams()
      #expect(streams.contains { $0["config"]?["name"]?.string == scene.name })
      let consumer = try await client.read(scene.name, subjects: ["\(scene.name).created"], from: 1)
      let consumers = try await client.listConsumers(stream: scene.name)
      #expect(consumers.map { $0["name"]?.string } == [consumer.name])
      let config = try await client.consumerInfo(stream: scene.name, name: consumer.name)["config"]
      #expect(config?["ack_policy"]?.string == "none" && config?["filter_subjects"]?.array?.count == 1)
      try await client.deleteConsumer(stream: scene.name, name: consumer.name)
      #expect(try await client.listConsumers(stream: scene.name) == [])
      try await client.deleteStream(scene.name)
      let error = await #expect(throws: JetStreamError.self) { try await client.deleteStream(scene.name) }
      #expect(error?.code == .notFound)
    }
  }
}
