import Foundation

/// The program of `tools/fuzz`: libFuzzer with its own arguments, on the target that `GOZON_FUZZ_TARGET` names, so that
/// processes which libFuzzer starts are on it too.
///
/// `fuzz seeds DIRECTORY` writes the seeds of every target, each into a directory of its own, and lists the targets.
@main
enum Fuzz {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count == 3, arguments[1] == "seeds" { return try writeSeeds(to: URL(filePath: arguments[2])) }
    let name = ProcessInfo.processInfo.environment["GOZON_FUZZ_TARGET"]
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
      print("GOZON_FUZZ_TARGET has to be one of \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
      exit(64)
    }
    FuzzTarget.current = target
    var (count, values) = (CommandLine.argc, CommandLine.unsafeArgv)
    exit(libFuzzer(&count, &values, testOneInput))
  }

  private static func writeSeeds(to directory: URL) throws {
    for target in FuzzTarget.all {
      let own = directory.appending(path: target.name)
      try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
      for (number, seed) in target.seeds().enumerated() {
        try Data(seed).write(to: own.appending(path: "\(number)"))
      }
      print("\(target.name)\t\(target.purpose)")
    }
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
