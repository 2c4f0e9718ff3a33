internal import Glibc
internal import Service
internal import Wire

/// Where and when a benchmark ran, so that its figures can be understood later.
struct BenchEnvironment: Sendable {
  /// The command as a shell would take it.
  let command: String
  /// Names and values, in the order in which they are shown.
  let properties: [(name: String, value: String)]

  /// What is to be known of this machine at this moment, for a run of `words` behind `gozon`.
  init(words: [String]) {
    command = (["gozon"] + Self.withoutSecrets(words)).map(Self.quoted).joined(separator: " ")
    let system = Self.system
    properties = [
      ("Time", "\(Timestamp.now)"), ("Host", system.host), ("Processor", Self.processor),
      ("Cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"), ("Kernel", system.kernel), ("Client", Self.build),
    ]
  }

  /// The words with the service token left out: reports are shown around.
  static func withoutSecrets(_ words: [String]) -> [String] {
    let secret = "--\(ServiceTokenSetting.client.name)"
    return words.enumerated().map { index, word in
      if word.hasPrefix("\(secret)=") { return "\(secret)=…" }
      return index > 0 && words[index - 1] == secret ? "…" : word
    }
  }

  private static var build: String {
    #if DEBUG
      "gozon, built for debugging: its figures say little"
    #else
      "gozon, release build"
    #endif
  }

  private static var system: (host: String, kernel: String) {
    var names = utsname()
    uname(&names)
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return (text(names.nodename), "\(text(names.sysname)) \(text(names.release)) \(text(names.machine))")
  }

  /// The first model name of `/proc/cpuinfo` (proc(5)).
  private static var processor: String {
    guard let file = fopen("/proc/cpuinfo", "r") else { return "unknown" }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 1_024)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      let parts = text.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].hasPrefix("model name") {
        return String(parts[1].drop { $0 == " " }.prefix { $0 != "\n" })
      }
    }
    return "unknown"
  }

  /// A word as a POSIX shell would read it back.
  static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-_./:=,@%+".utf8.contains(byte)
        }
      }
    return isPlain
      ? word : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
  }
}
