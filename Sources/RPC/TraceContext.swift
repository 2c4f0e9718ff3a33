/// What traces are called by as they travel (W3C Trace Context).
package enum TraceContext {
  /// Whether `text` is a traceparent: `00-` trace id `-` parent id `-` flags, in lower-case hexadecimal digits.
  ///
  /// Version `ff` and ids of zeros are invalid (sections 3.2.2.1 to 3.2.2.4). Of later versions, those are taken that
  /// have the length of the first.
  package static func isTraceparent(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [2, 32, 16, 2], parts.allSatisfy({ $0.allSatisfy(isDigit) }) else { return false }
    return !parts[0].elementsEqual("ff".utf8) && [parts[1], parts[2]].allSatisfy { !$0.allSatisfy { $0 == 0x30 } }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte || 0x61...0x66 ~= byte }
}
