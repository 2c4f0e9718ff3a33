import Foundation
import Identity
import JSON
import Service
import TLS
import Wire

@testable import Gateway

/// Keys of tokens in a file, and tokens that are signed with them.
// Confined to the loop of its test.
final class TokenScene: @unchecked Sendable {
  static let issuer = "https://id.example"
  static let audience = "gozon"
  static let user = "0198e1c0-0000-7000-8000-000000000001"

  let path = NSTemporaryDirectory() + "/gozon-keys-\(Foundation.UUID()).json"
  let key = JSONWebKeySet.Entry(id: "one", key: .generate(.edDSA))
  /// When ``write(_:)`` was last called, as the file's watcher takes it: it looks once a second.
  private(set) var clock = ContinuousClock.now

  init() { write([key]) }

  deinit { unlink(path) }

  /// Writes the public parts of these keys, and lets the time pass until that is seen.
  func write(_ keys: [JSONWebKeySet.Entry]) {
    write(Array(JSONWebKeySet(keys).publicJSON.encoded))
  }

  func write(_ bytes: [UInt8]) {
    // Another file under the name, so that it is another version whatever the clock's resolution.
    _ = FileManager.default.createFile(atPath: path + ".new", contents: Data(bytes))
    rename(path + ".new", path)
    clock += .seconds(2)
  }

  func authenticator() throws -> Authenticator {
    try Authenticator(
      keys: path, issuer: Self.issuer, audience: Self.audience,
      log: Log(service: "test", level: .error, format: "json"))
  }

  /// A token that is good but for `change`.
  func token(
    _ change: (inout TokenMaker.Claims) -> Void = { _ in }, key: JSONWebKeySet.Entry? = nil
  ) -> String {
    var claims = TokenMaker.Claims(subject: Self.user, issuedAt: .now, lifetime: .seconds(600))
    claims.issuer = Self.issuer
    claims.audience = Self.audience
    change(&claims)
    return TokenMaker(key ?? self.key).token(claims) ?? ""
  }

  /// A token of any header and claims, signed with a key or with nothing.
  static func token(_ header: String, _ claims: String, _ key: SignatureKey?) -> String {
    let signed = Base64.url.encode(Array(header.utf8)) + "." + Base64.url.encode(Array(claims.utf8))
    return signed + "." + Base64.url.encode(key?.sign(Array(signed.utf8)) ?? [])
  }
}
