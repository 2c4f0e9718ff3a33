/// What services and their clients prove to each other that they belong together, where there is no mutual TLS.
package struct ServiceToken: Sendable, CustomStringConvertible {
  /// The token itself; it goes into the client's hello.
  let text: String

  /// A token. It must be long enough that guessing does not pay, and fit into a hello.
  package init(_ text: String) { self.text = text }

  /// Whether `other` is the token, found out in a time that does not tell how much of it is right.
  func matches(_ other: String) -> Bool {
    let (ours, theirs) = (Array(text.utf8), Array(other.utf8))
    guard !theirs.isEmpty else { return false }
    var difference = UInt8(ours.count == theirs.count ? 0 : 1)
    for index in ours.indices { difference |= ours[index] ^ theirs[index % theirs.count] }
    return difference == 0
  }

  /// Nothing of the token, so that no log has it.
  package var description: String { "service token" }
}
