internal import Glibc

/// Where the tool writes.
struct Terminal: Sendable {
  private let output: @Sendable (String) -> Void
  private let errors: @Sendable (String) -> Void

  /// A terminal that hands each text on.
  init(output: @escaping @Sendable (String) -> Void, errors: @escaping @Sendable (String) -> Void) {
    self.output = output
    self.errors = errors
  }

  /// Standard output and standard error. The process ends when nobody reads its output any more.
  static let standard = Terminal(output: { write($0, to: 1) }, errors: { write($0, to: 2) })

  /// Prints the lines of a result.
  func print(_ text: String) { output(Self.printable(text) + "\n") }

  /// Prints what a person should know beside the result.
  func note(_ text: String) { errors("gozon: \(Self.printable(text))\n") }

  /// The text without characters that would steer a terminal: some of it comes from a peer.
  private static func printable(_ text: String) -> String {
    func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
      (scalar.value < 0x20 && scalar != "\n" && scalar != "\t") || (0x7F...0x9F).contains(scalar.value)
    }
    guard text.unicodeScalars.contains(where: isHarmful) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(isHarmful(scalar) ? "\u{FFFD}" : scalar) }
    return String(result)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { exit(ExitStatus.notWell.rawValue) }
        rest = rest.dropFirst(count)
      }
    }
  }
}
