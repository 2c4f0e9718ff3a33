import HTTP
import Identity
import RPC
import Service
import TLS
import Testing
import Wire

@testable import Gateway

@Suite struct AuthenticatorTests {
  private let scene = TokenScene()

  private func outcome(_ authenticator: Authenticator, _ token: String, now: Timestamp = .now) -> String {
    do throws(Problem) {
      let fields = HTTPFields([("Authorization", "Bearer \(token)")])
      return try authenticator.caller(of: fields, now: now, clock: scene.clock).principal.subject
    } catch {
      return error.detail
    }
  }

  @Test func `a token is verified once, and again when it has expired`() throws {
    let authenticator = try scene.authenticator()
    let token = scene.token()
    for _ in 0..<5 { #expect(outcome(authenticator, token) == TokenScene.user) }
    #expect(authenticator.verifiedTotal == 1)
    _ = outcome(authenticator, scene.token { $0.scopes = ["a"] })
    #expect(authenticator.verifiedTotal == 2 && authenticator.refusedTotal == 0)
    let later = Timestamp(microseconds: Timestamp.now.microseconds + 631_000_000)
    #expect(outcome(authenticator, token, now: later) == "The token has expired.")
    #expect(authenticator.refusedTotal == 1)
  }

  @Test func `keys change without a restart, and a token of a key that went is refused`() throws {
    let authenticator = try scene.authenticator()
    let (old, key) = (scene.token(), JSONWebKeySet.Entry(id: "two", key: .generate(.es256)))
    let new = scene.token(key: key)
    #expect(outcome(authenticator, old) == TokenScene.user)
    #expect(outcome(authenticator, new).contains("not signed by a key"))
    scene.write([scene.key, key])
    #expect(outcome(authenticator, old) == TokenScene.user && outcome(authenticator, new) == TokenScene.user)
    scene.write([key])
    #expect(outcome(authenticator, old).contains("not signed by a key"))
    #expect(outcome(authenticator, new) == TokenScene.user)
  }

  @Test func `a bad file leaves the keys as they were, and a good one mends it`() throws {
    let authenticator = try scene.authenticator()
    let (token, key) = (scene.token(), JSONWebKeySet.Entry(id: "two", key: .generate(.edDSA)))
    for bad in ["", "{", #"{"keys":[]}"#] {
      scene.write(Array(bad.utf8))
      #expect(outcome(authenticator, token) == TokenScene.user)
    }
    scene.write([key])
    #expect(outcome(authenticator, token).contains("not signed by a key"))
    #expect(outcome(authenticator, scene.token(key: key)) == TokenScene.user)
  }

  @Test func `nothing is started with keys that cannot be used`() throws {
    let log = Log(service: "test", level: .error, format: "json")
    let problem = { (path: String) -> String in
      do throws(KeysUnusable) {
        _ = try Authenticator(keys: path, issuer: nil, audience: nil, log: log)
        return ""
      } catch {
        return error.description
      }
    }
    #expect(problem("/nowhere/keys.json").contains("--auth-jwks (GOZON_AUTH_JWKS), /nowhere/keys.json, cannot be read"))
    scene.write(Array("[]".utf8))
    #expect(problem(scene.path).contains("has no array \"keys\""))
  }

  @Test func `a token that was not seen before may be refused unverified`() throws {
    let authenticator = try scene.authenticator()
    let fields = { (token: String) in HTTPFields([("Authorization", "Bearer \(token)")]) }
    let token = scene.token()
    #expect(throws: Problem.self) {
      _ = try authenticator.caller(of: fields(token)) { () throws(Problem) in throw .tokenMissing }
    }
    #expect(authenticator.verifiedTotal == 0)
    _ = try authenticator.caller(of: fields(token))
    _ = try authenticator.caller(of: fields(token)) { () throws(Problem) in throw .tokenMissing }
    #expect(authenticator.verifiedTotal == 1)
  }
}

extension AuthenticatorTests {
  @Test(arguments: ["Basic YTpi", "Bearer", "Bearer a b", ""])
  func `what is no token is paid for like one that is made up`(value: String) throws {
    let authenticator = try TokenScene().authenticator()
    var asked = 0
    _ = try? authenticator.caller(of: HTTPFields([("Authorization", value)])) { () throws(Problem) in asked += 1 }
    #expect(asked == 1)
  }

  @Test func `a caller may go on for as long as its token would be taken`() throws {
    let scene = TokenScene()
    let token = scene.token()
    let caller = try scene.authenticator().caller(of: HTTPFields([("Authorization", "Bearer \(token)")]))
    let end = try #require(caller.expiresAt)
    let authenticator = try scene.authenticator()
    let last = Timestamp(microseconds: end.microseconds - 1)
    let fields = HTTPFields([("Authorization", "Bearer \(token)")])
    _ = try authenticator.caller(of: fields, now: last)
    #expect(throws: Problem.self) { try authenticator.caller(of: fields, now: end) }
  }
}

@Suite struct TokenCacheTests {
  private static func identity(_ number: Int) -> Identity {
    Identity(subject: "user \(number)", scopes: [], expiresAt: Timestamp(microseconds: 0))
  }

  @Test func `what is used stays, what is not goes, and the size is bounded`() {
    var cache = TokenCache(bytesMax: 100 * 300)
    for number in 0..<10_000 {
      cache.insert("token \(number)", Self.identity(number))
      let first = cache.identity(of: "token 0")
      #expect(first == Self.identity(0))
      #expect(cache.count <= 110)
    }
    let (last, unused) = (cache.identity(of: "token 9999"), cache.identity(of: "token 100"))
    #expect(last == Self.identity(9_999) && unused == nil)
  }

  @Test func `a token that is larger than the cache is not kept`() {
    var cache = TokenCache(bytesMax: 1_000)
    cache.insert(String(repeating: "a", count: 1_000), Self.identity(1))
    #expect(cache.count == 0)
  }
}
