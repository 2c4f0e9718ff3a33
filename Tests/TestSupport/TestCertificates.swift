internal import Foundation
package import TLS

/// An authority of its own for a test, and the certificates that it issues.
package final class TestCertificates: Sendable {
  /// How long a certificate is in force.
  package enum Validity: Sendable {
    /// Now.
    case current
    /// In 2020.
    case past
    /// From 2090 on.
    case future

    fileprivate var dates: [String] {
      switch self {
      case .current: ["-startdate", "20200101000000Z", "-enddate", "20990101000000Z"]
      case .past: ["-startdate", "20200101000000Z", "-enddate", "20201231000000Z"]
      case .future: ["-startdate", "20900101000000Z", "-enddate", "20990101000000Z"]
      }
    }
  }

  /// A moment at which certificates of ``Validity/past`` were in force, in seconds since 1970.
  package static let pastUnixSeconds = 1_590_000_000

  private let folder: String

  /// A new authority, in a folder that goes with it.
  package init() throws {
    folder = NSTemporaryDirectory() + "gozon-tls-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try openssl(
      ["req", "-x509"] + Self.newKey("\(folder)/ca.key") + ["-subj", "/CN=Test authority", "-out", "\(folder)/ca.pem"])
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The certificate of the authority.
  package var authority: TLSConfiguration.File { file("ca.pem", setting: "--test-ca") }

  /// A file of the folder, named by a setting.
  package func file(_ name: String, setting: String) -> TLSConfiguration.File {
    .init(path: "\(folder)/\(name)", setting: setting)
  }

  /// A certificate for servers and clients with these names (`DNS:…`, `IP:…`), and its key, as `name.pem` and `name.key`.
  package func issue(
    _ name: String, for names: [String] = ["DNS:localhost", "IP:127.0.0.1"], _ validity: Validity = .current
  ) throws -> TLSConfiguration.Identity {
    let path = "\(folder)/\(name)"
    try openssl(["req"] + Self.newKey("\(path).key") + ["-subj", "/O=Gozon/CN=\(name)", "-out", "\(path).csr"])
    try Data(authorityConfiguration(path, names).utf8).write(to: URL(fileURLWithPath: "\(path).cnf"))
    try Data().write(to: URL(fileURLWithPath: "\(path).index"))
    try openssl(
      ["ca", "-batch", "-notext", "-config", "\(path).cnf", "-in", "\(path).csr", "-out", "\(path).pem"]
        + validity.dates)
    return .init(
      certificate: file("\(name).pem", setting: "--test-certificate"), key: file("\(name).key", setting: "--test-key"))
  }

  /// The same key behind a passphrase.
  package func protect(_ key: TLSConfiguration.File) throws -> TLSConfiguration.File {
    let path = "\(key.path).protected"
    try openssl(["pkey", "-in", key.path, "-aes256", "-passout", "pass:secret", "-out", path])
    return .init(path: path, setting: key.setting)
  }

  private static func newKey(_ path: String) -> [String] {
    ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]
  }

  private func openssl(_ arguments: [String]) throws {
    let log = "\(folder)/openssl.log"
    guard ChildProcess.wait(try ChildProcess.start("openssl", arguments, output: log)) == 0 else {
      let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      throw TestProcess.Failure("openssl \(arguments.joined(separator: " ")) failed: \(said)")
    }
  }

  /// What the authority does for one certificate; with records of its own, so that several can be issued at a time.
  private func authorityConfiguration(_ path: String, _ names: [String]) -> String {
    """
    [ca]
    default_ca = authority
    [authority]
    certificate = \(folder)/ca.pem
    private_key = \(folder)/ca.key
    database = \(path).index
    new_certs_dir = \(folder)
    rand_serial = yes
    unique_subject = no
    default_md = sha256
    policy = names
    x509_extensions = extensions
    [extensions]
    subjectAltName = \(names.joined(separator: ","))
    basicConstraints = CA:FALSE
    [names]
    organizationName = optional
    commonName = supplied
    """
  }
}
