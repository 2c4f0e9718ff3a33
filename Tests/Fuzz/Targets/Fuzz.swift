/// The program of `tools/fuzz`: `fuzz TARGET` and libFuzzer's own arguments; `fuzz` alone lists the targets.
@main
enum Fuzz {
  static func main() {
    guard let target = FuzzTarget.all.first(where: { $0.name == CommandLine.arguments.dropFirst().first }) else {
      for target in FuzzTarget.all { print("\(target.name)\t\(target.purpose)") }
      return
    }
    FuzzTarget.current = target
    runFuzzer()
  }

  /// Hands over to libFuzzer, which returns when it is done.
  private static func runFuzzer() {
    var count = CommandLine.argc
    // It reads the target's name as the directory of its corpus, were it left in; arguments behind it move up.
    var arguments = CommandLine.unsafeArgv
    arguments[1] = arguments[0]
    arguments += 1
    count -= 1
    withUnsafeMutablePointer(to: &arguments) { _ = libFuzzer(&count, $0, testOneInput) }
  }
}

/// `LLVMFuzzerRunDriver` of libFuzzer.
@_silgen_name("LLVMFuzzerRunDriver")
private func libFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What libFuzzer calls with each input; its own main, which is linked and not used, wants the name.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  FuzzTarget.current.test(Array(UnsafeBufferPointer(start: data, count: count)))
  return 0
}
