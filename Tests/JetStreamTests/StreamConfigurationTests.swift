import JSON
import Testing

@testable import JetStream

@Suite struct StreamConfigurationTests {
  @Test func `what is wanted is compared with what is there`() {
    let existing: JSONValue = ["name": "A", "subjects": ["b", "a"], "max_bytes": -1, "storage": "file"]
    #expect(existing.differences(from: ["subjects": ["a", "b"], "max_age": 0, "backoff": [], "name": "A"]) == [])
    #expect(
      existing.differences(from: ["storage": "memory", "replicas": 3])
        == [#"storage is "file", wanted "memory""#, "replicas is null, wanted 3"])
    #expect(existing.merging([.init("name", "B"), .init("x", 1)])["name"] == "B")
  }
}
