internal import Glibc

/// Tells the programs around a service which ports it listens on.
package enum PortsFile {
  /// Writes `ports` as a JSON object to `path`, at once for whoever reads it; does nothing when `path` is empty.
  ///
  /// - Returns: what went wrong; nil when nothing did.
  package static func write(_ ports: KeyValuePairs<String, Int>, to path: String) -> String? {
    if path.isEmpty { return nil }
    let text = "{" + ports.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}\n"
    let draft = "\(path).\(getpid())"
    guard let file = fopen(draft, "w") else { return failure(path) }
    let isWritten = fputs(text, file) >= 0
    guard fclose(file) == 0, isWritten, rename(draft, path) == 0 else { return failure(path) }
    return nil
  }

  private static func failure(_ path: String) -> String {
    "cannot write \(path): \(String(cString: strerror(errno)))"
  }
}
