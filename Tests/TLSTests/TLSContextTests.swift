import Foundation
import TestSupport
import Testing

@testable import TLS

@Suite struct TLSContextTests {
  private let certificates: TestCertificates

  init() throws { certificates = try TestCertificates() }

  private static func refusal(_ configuration: TLSConfiguration) -> TLSError? {
    do throws(TLSError) { _ = try TLSContext(configuration) } catch { return error }
    return nil
  }

  private func write(_ text: String, to name: String) throws -> TLSConfiguration.File {
    let file = certificates.file(name, setting: "--test-\(name)")
    try Data(text.utf8).write(to: URL(fileURLWithPath: file.path))
    return file
  }

  @Test func `a file that is not there is named with its setting`() throws {
    let identity = try certificates.issue("server")
    let missing = certificates.file("missing.pem", setting: "--missing (GOZON_MISSING)")
    let expected = TLSError(
      .configuration, "--missing (GOZON_MISSING) \"\(missing.path)\" cannot be read: No such file or directory")
    #expect(Self.refusal(.server(identity: .init(certificate: missing, key: identity.key))) == expected)
    #expect(Self.refusal(.server(identity: .init(certificate: identity.certificate, key: missing))) == expected)
    #expect(Self.refusal(.server(identity: identity, clientAuthorities: missing)) == expected)
    #expect(Self.refusal(.client(serverAuthorities: missing)) == expected)
  }

  @Test(arguments: ["", "no PEM\n"])
  func `a file without what is looked for is named`(content: String) throws {
    let identity = try certificates.issue("server")
    let empty = try write(content, to: "empty")
    #expect(
      Self.refusal(.server(identity: .init(certificate: empty, key: identity.key)))?.message
        == "\(empty) holds no certificate in PEM")
    #expect(
      Self.refusal(.server(identity: .init(certificate: identity.certificate, key: empty)))?.message
        == "\(empty) holds no private key in PEM")
    #expect(Self.refusal(.client(serverAuthorities: empty))?.message == "\(empty) holds no certificate in PEM")
    #expect(
      Self.refusal(.server(identity: identity, clientAuthorities: empty))?.message
        == "\(empty) holds no certificate in PEM")
  }

  @Test func `a damaged certificate is named`() throws {
    let identity = try certificates.issue("server")
    let text = try String(contentsOfFile: identity.certificate.path, encoding: .utf8)
    let damaged = try write(text.replacingOccurrences(of: "MII", with: "AAA"), to: "damaged")
    let refusal = Self.refusal(.server(identity: .init(certificate: damaged, key: identity.key)))
    #expect(refusal?.message.hasPrefix("\(damaged) cannot be used: ") == true)
  }

  @Test func `a key of another certificate is refused`() throws {
    let (one, other) = (try certificates.issue("one"), try certificates.issue("other"))
    let mixed = TLSConfiguration.Identity(certificate: one.certificate, key: other.key)
    #expect(
      Self.refusal(.server(identity: mixed))?.message
        == "\(other.key) is not the key of the certificate of \(one.certificate)")
  }

  @Test func `a key behind a passphrase is refused without asking for it`() throws {
    let identity = try certificates.issue("server")
    let key = try certificates.protect(identity.key)
    let refusal = Self.refusal(.server(identity: .init(certificate: identity.certificate, key: key)))
    #expect(refusal?.message.contains("is protected by a passphrase") == true, "\(refusal as Any)")
  }

  @Test func `a certificate must be in force`() throws {
    let (past, future) = (try certificates.issue("past", .past), try certificates.issue("future", .future))
    #expect(
      Self.refusal(.server(identity: past))?.message
        == "the certificate of \(past.certificate) expired on 2020-12-31: renew it")
    #expect(
      Self.refusal(.client(serverAuthorities: certificates.authority, identity: future))?.message
        == "the certificate of \(future.certificate) is not in force before 2090-01-01: is the clock right?")
  }

  @Test func `renewed files are taken up within a second, broken ones are told of and left`() throws {
    var failures: [TLSError] = []
    let (first, second) = (try certificates.issue("first"), try certificates.issue("second"))
    var now = ContinuousClock.now
    let source = try TLSContextSource(.server(identity: first), now: now) { failures.append($0) }
    func subject(after wait: Duration) throws -> String? {
      now += wait
      let client = try TLSContext(.client(serverAuthorities: certificates.authority))
      let pair = try EnginePair(client, source.current(now: now))
      try pair.exchange()
      return pair.client.peerSubject
    }
    func replace(_ file: TLSConfiguration.File, by other: TLSConfiguration.File) throws {
      try Data(contentsOf: URL(fileURLWithPath: other.path)).write(to: URL(fileURLWithPath: file.path))
    }
    #expect(try subject(after: .seconds(2)) == "CN=first,O=Gozon")
    try replace(first.certificate, by: second.certificate)
    #expect(try subject(after: .milliseconds(900)) == "CN=first,O=Gozon" && failures.isEmpty)
    // The certificate is there and its key is not yet.
    #expect(try subject(after: .milliseconds(200)) == "CN=first,O=Gozon")
    #expect(try subject(after: .seconds(2)) == "CN=first,O=Gozon")
    #expect(failures.map(\.message) == ["\(first.key) is not the key of the certificate of \(first.certificate)"])
    try replace(first.key, by: second.key)
    #expect(try subject(after: .seconds(1)) == "CN=second,O=Gozon")
    #expect(failures.count == 1)
  }
}
