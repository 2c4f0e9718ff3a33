internal import Files
internal import HTTP
internal import Identity
internal import RPC
package import Service
internal import Wire

/// Finds out who sends a request, by the token that it bears.
// Confined to its gateway's event loop.
package final class Authenticator: @unchecked Sendable {
  /// Keys, and the tokens that they have verified: other keys know none of them.
  private final class Verification {
    let verifier: TokenVerifier
    let keyCount: Int
    var cache = TokenCache()

    init(_ bytes: [UInt8], issuer: String?, audience: String?) throws(JSONWebKeySet.Refusal) {
      let keys = try JSONWebKeySet(parsing: bytes)
      keyCount = keys.entries.count
      verifier = TokenVerifier(keys: keys, issuer: issuer, audience: audience)
    }
  }

  private let file: WatchedFile<Verification>
  /// Signatures that were checked, good or bad.
  package private(set) var verifiedTotal = 0
  /// Requests whose token was not taken.
  package private(set) var refusedTotal = 0

  /// An authenticator with the keys of a file. When the file has changed and cannot be used, the log tells, and the keys
  /// that were read before stay in force.
  ///
  /// - Parameters:
  ///   - issuer: who must have made the tokens; anybody who has a key, when it is nil.
  ///   - audience: whom they must be made for; anybody, when it is nil.
  /// - Throws: ``KeysUnusable``, naming the setting that must change.
  package init(keys path: String, issuer: String?, audience: String?, log: Log) throws(KeysUnusable) {
    do {
      file = try WatchedFile(path, bytesMax: JSONWebKeySet.bytesMax) { changed in
        switch changed {
        case .success(let keys): log.info("changed keys of tokens are read", [.path: path, .count: "\(keys.keyCount)"])
        case .failure(let error):
          log.error(
            "changed keys of tokens are not used; those read before stay in force",
            [.path: path, .error: "the file \(error)"])
        }
      } parse: {
        try Verification($0, issuer: issuer, audience: audience)
      }
    } catch {
      throw KeysUnusable(description: "the file of \(AuthenticationSettings.keys.flagAndVariable), \(path), \(error)")
    }
    log.info("callers are asked for tokens", [.path: path, .count: "\(file.current().keyCount)"])
  }

  /// Who sends a request with these fields; ``Caller/stranger`` when it bears no token.
  ///
  /// - Parameters:
  ///   - clock: decides whether it is time to look at the file.
  ///   - onUnseenToken: is asked before a token is verified that has not been seen before, which costs a signature's check,
  ///     and before what is no token is refused; may refuse itself.
  /// - Throws: what the caller is told when its token is not taken.
  func caller(
    of fields: HTTPFields, now: Timestamp = .now, clock: ContinuousClock.Instant = .now,
    onUnseenToken: () throws(Problem) -> Void = {}
  ) throws(Problem) -> Caller {
    let token: String
    switch BearerToken(fields) {
    case .none: return .stranger
    case .otherScheme:
      try onUnseenToken()
      throw .tokenMissing
    case .malformed:
      try onUnseenToken()
      throw .authorizationMalformed
    case .token(let text): token = text
    }
    let keys = file.current(now: clock)
    if let known = keys.cache.identity(of: token), known.isValid(at: now) { return Caller(known) }
    try onUnseenToken()
    verifiedTotal += 1
    do throws(TokenRefusal) {
      let identity = try keys.verifier.verify(token, now: now)
      keys.cache.insert(token, identity)
      return Caller(identity)
    } catch {
      refusedTotal += 1
      throw .tokenRefused(error.description)
    }
  }
}

/// The keys of tokens cannot be used.
package struct KeysUnusable: Error, CustomStringConvertible {
  /// Why, naming the setting.
  package let description: String
}

extension Caller {
  fileprivate init(_ identity: Identity) {
    self.init(
      principal: .init(subject: identity.subject, scopes: identity.scopes), expiresAt: identity.endsAt)
  }
}
