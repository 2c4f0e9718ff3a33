import Files
import Foundation
import Testing

@Suite struct WatchedFileTests {
  private struct Bad: Error {}

  /// Runs `body` with a path that nothing is at.
  private func withPath(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "/gozon-file-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private static func number(_ bytes: [UInt8]) throws -> Int {
    guard let number = Int(String(decoding: bytes, as: UTF8.self)) else { throw Bad() }
    return number
  }

  @Test func `a changed file is read again, and one that cannot be used changes nothing`() throws {
    try withPath { path in
      try Data("1".utf8).write(to: URL(fileURLWithPath: path))
      let start = ContinuousClock.now
      var told: [Int?] = []
      let file = try WatchedFile(
        path, bytesMax: 10, now: start, onChange: { told.append(try? $0.get()) }, parse: Self.number)
      #expect(file.current(now: start) == 1)
      try Data("22".utf8).write(to: URL(fileURLWithPath: path))
      #expect(file.current(now: start + .milliseconds(500)) == 1, "not looked at more than once a second")
      #expect(file.current(now: start + .seconds(1)) == 22)
      try Data("rubbish".utf8).write(to: URL(fileURLWithPath: path))
      #expect(file.current(now: start + .seconds(2)) == 22)
      #expect(file.current(now: start + .seconds(3)) == 22)
      try FileManager.default.removeItem(atPath: path)
      #expect(file.current(now: start + .seconds(4)) == 22)
      try Data("333".utf8).write(to: URL(fileURLWithPath: path))
      #expect(file.current(now: start + .seconds(5)) == 333)
      #expect(told == [22, nil, nil, 333], "each change once")
      #expect(file.change(now: start + .seconds(6)) == nil)
      try Data("4".utf8).write(to: URL(fileURLWithPath: path))
      let change = file.change(now: start + .seconds(7))
      #expect(try change?.get() == 4 && file.current(now: start + .seconds(7)) == 4)
      #expect(told.count == 4, "whoever asked for it knows")
    }
  }

  @Test func `a file that is not there, or too large, is told of`() throws {
    try withPath { path in
      let missing = #expect(throws: FileError.self) { try WatchedFile(path, bytesMax: 10, parse: Self.number) }
      #expect(missing?.description == "cannot be read: No such file or directory")
      try Data("12345678901".utf8).write(to: URL(fileURLWithPath: path))
      let large = #expect(throws: FileError.self) { try WatchedFile(path, bytesMax: 10, parse: Self.number) }
      #expect(large?.description == "is larger than 10 bytes")
      try Data("x".utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: Bad.self) { try WatchedFile(path, bytesMax: 10, parse: Self.number) }
    }
  }
}
