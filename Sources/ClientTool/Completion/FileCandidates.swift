/// The files whose path begins with what is typed.
enum FileCandidates {
  /// The most of them.
  private static let countMax = 1_000

  /// Paths that begin with `prefix`, sorted, directories with a slash behind them and hidden ones left out; none when nothing can be read.
  static func paths(beginningWith prefix: String) -> [String] {
    let end = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
    let (directory, name) = (String(prefix[..<end]), prefix[end...])
    let names = (try? WholeFile.names(in: directory.isEmpty ? "." : directory)) ?? []
    return names.lazy.filter { $0.hasPrefix(name) }.prefix(countMax).map { found in
      directory + found + (WholeFile.isDirectory(directory + found) ? "/" : "")
    }
  }
}
