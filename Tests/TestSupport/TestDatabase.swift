internal import Foundation

/// A database of a suite's own, on the server that `GOZON_TEST_POSTGRES` names.
package enum TestDatabase {
  /// Makes an empty database and returns its URL.
  ///
  /// It stays until the server goes: servers of tests are private and short-lived.
  package static func make(_ suite: String) throws -> String {
    guard let admin = ProcessInfo.processInfo.environment["GOZON_TEST_POSTGRES"] else { throw Missing() }
    guard var url = URLComponents(string: admin) else { throw Missing() }
    let name = "test_\(suite.lowercased())_\(UInt32.random(in: 0...UInt32.max))"
    let psql = try ChildProcess.start(
      "psql", ["--no-psqlrc", "--quiet", admin, "--command", "CREATE DATABASE \(name)"])
    guard ChildProcess.wait(psql) == 0 else { throw Missing() }
    url.path = "/\(name)"
    return url.string!
  }

  private struct Missing: Error, CustomStringConvertible {
    let description = "no PostgreSQL to test with: run tools/test, or set GOZON_TEST_POSTGRES to an administrator's URL"
  }
}
