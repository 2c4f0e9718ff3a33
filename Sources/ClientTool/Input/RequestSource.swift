internal import RPC

/// Where the requests of a command come from.
enum RequestSource: Equatable, Sendable {
  /// One request, as JSON.
  case text([UInt8])
  /// One request, in a file.
  case file(String)
  /// A request on each line of standard input.
  case lines
  /// Not said: what is piped into the tool, or one request without fields.
  case unsaid

  /// What an argument says: JSON, `@file`, or `-` for standard input.
  init(argument: String?) {
    switch argument {
    case nil: self = .unsaid
    case "-": self = .lines
    case let path? where path.hasPrefix("@"): self = .file(String(path.dropFirst()))
    case let text?: self = .text(Array(text.utf8))
    }
  }

  /// The bytes of a file.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it cannot be read, or is larger than any request.
  static func contents(of path: String) throws(RPCError) -> [UInt8] {
    try WholeFile.bytes(of: path, sizeMax: LineSplitter.lineBytesMax)
  }
}
