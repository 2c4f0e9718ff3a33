internal import Glibc

/// Where the tool reads and writes.
struct Terminal: Sendable {
  /// A screen's size in characters.
  struct ScreenSize: Equatable, Sendable {
    let rows: Int
    let columns: Int
  }

  /// The descriptor of what is typed or piped in.
  let input: Int32
  private let output: @Sendable (String) -> Void
  private let errors: @Sendable (String) -> Void
  private let size: @Sendable () -> ScreenSize?

  /// A terminal that hands each text on.
  ///
  /// - Parameter size: how large the screen is; nil when the output is no screen.
  init(
    input: Int32 = STDIN_FILENO, output: @escaping @Sendable (String) -> Void,
    errors: @escaping @Sendable (String) -> Void, size: @escaping @Sendable () -> ScreenSize? = { nil }
  ) {
    self.input = input
    self.output = output
    self.errors = errors
    self.size = size
  }

  /// Standard input, output and error. The process ends when nobody reads its output any more.
  static let standard = Terminal(
    output: { write($0, to: STDOUT_FILENO) }, errors: { write($0, to: STDERR_FILENO) },
    size: { size(of: STDOUT_FILENO) })

  /// Whether something is piped or redirected into the tool, so that it makes sense to read it unasked.
  var isInputPiped: Bool {
    var status = stat()
    guard fstat(input, &status) == 0 else { return false }
    return [S_IFIFO, S_IFREG, S_IFSOCK].contains(status.st_mode & S_IFMT)
  }

  /// Whether a person types the input.
  var isInputTyped: Bool { isatty(input) == 1 }

  /// How large the screen is; nil when the output is no screen.
  var screenSize: ScreenSize? { size() }

  /// Prints the lines of a result.
  func print(_ text: String) { output(Self.printable(text) + "\n") }

  /// Prints what a person should know beside the result.
  func note(_ text: String) { errors("gozon: \(Self.printable(text))\n") }

  /// Prints a remark about a call, without the tool's name in front of it.
  func remark(_ text: String) { errors("\(Self.printable(text))\n") }

  /// Writes a text that steers the screen, as it is.
  func control(_ sequence: String) { output(sequence) }

  /// The text without characters that would steer a terminal: some of it comes from a peer.
  static func printable(_ text: String) -> String {
    func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
      (scalar.value < 0x20 && scalar != "\n" && scalar != "\t") || (0x7F...0x9F).contains(scalar.value)
    }
    guard text.unicodeScalars.contains(where: isHarmful) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(isHarmful(scalar) ? "\u{FFFD}" : scalar) }
    return String(result)
  }

  private static func size(of descriptor: Int32) -> ScreenSize? {
    var window = winsize()
    guard isatty(descriptor) == 1, ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0
    else { return nil }
    return ScreenSize(rows: Int(window.ws_row), columns: Int(window.ws_col))
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
