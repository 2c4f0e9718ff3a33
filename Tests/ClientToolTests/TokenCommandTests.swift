import Foundation
import Identity
import JSON
import JetStream
import TLS
import Testing

@testable import ClientTool

@Suite struct TokenCommandTests {
  private static let user = "0198e1c0-0000-7000-8000-000000000001"

  /// Runs `body` with the paths of a key and of a key set that are not there yet.
  private func withFiles(_ body: (_ key: String, _ keySet: String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "gozon-tokens-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory.appending(path: "key.json").path(), directory.appending(path: "jwks.json").path())
  }

  private static func json(_ run: Run) throws -> JSONValue { try JSONValue(parsing: Array(run.output.utf8).span) }

  private static func mode(_ path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
  }

  @Test(arguments: SignatureAlgorithm.allCases)
  func `what is signed with a new key is good by its key set`(algorithm: SignatureAlgorithm) async throws {
    try await withFiles { key, keySet in
      let made = await gozon("token", "keygen", "--alg", algorithm.rawValue, "--key", key, "--jwks", keySet)
      #expect(made.status == 0 && made.errors.isEmpty && made.output.contains("--auth-jwks \(keySet)"))
      #expect(Self.mode(key) == 0o600 && Self.mode(keySet) == 0o600)
      let isSecretShared = try String(contentsOfFile: keySet, encoding: .utf8).contains("\"d\"")
      #expect(!isSecretShared)
      let signed = await gozon(
        "token", "sign", "--key", key, "--sub", Self.user, "--scope", "read write", "--scope", "operator", "--iss", "i",
        "--aud", "a", "--ttl", "5m")
      #expect(signed.status == 0 && signed.lines.count == 1)
      let token = String(signed.lines[0])
      let shown = await gozon("token", "show", token, "--jwks", keySet, "--iss", "i", "--aud", "a", "--json")
      let told = try Self.json(shown)
      #expect(shown.status == 0 && told["good"] == true && told["header"]?["alg"]?.string == algorithm.rawValue)
      #expect(told["claims"]?["sub"]?.string == Self.user && told["claims"]?["scope"] == "read write operator")
      let claims = try #require(told["claims"])
      #expect((claims["exp"]?.integer ?? 0) - (claims["iat"]?.integer ?? 0) == 300)
      let piped = await gozon("token", "show", "-", "--jwks", keySet, input: token + "\n")
      #expect(piped.status == 0 && piped.lines.last == "good" && piped.output.contains(Self.user))
      let other = await gozon("token", "show", token, "--jwks", keySet, "--aud", "b")
      #expect(other.status == 1 && other.lines.last == "refused: it is made for somebody else (\"aud\")")
      let unchecked = await gozon("token", "show", token)
      #expect(unchecked.status == 0 && unchecked.lines.last == "not checked: --jwks names no keys")
    }
  }

  @Test func `a key set takes further keys, and keeps those that it has`() async throws {
    try await withFiles { key, keySet in
      #expect(await gozon("token", "keygen", "--kid", "one", "--key", key, "--jwks", keySet).status == 0)
      let next = await gozon(
        "token", "keygen", "--kid", "two", "--alg", "ES256", "--key", key + "2", "--jwks", keySet, "--json")
      #expect(
        try Self.json(next) == ["alg": "ES256", "kid": "two", "key": .string(key + "2"), "jwks": .string(keySet)])
      let set = try JSONWebKeySet(parsing: Array(Data(contentsOf: URL(fileURLWithPath: keySet))))
      #expect(set.entries.map(\.id) == ["one", "two"])
      for path in [key, key + "2"] {
        let token = await gozon("token", "sign", "--key", path, "--sub", "somebody").lines[0]
        #expect(await gozon("token", "show", String(token), "--jwks", keySet).status == 0)
      }
    }
  }

  @Test func `no key is written over`() async throws {
    try await withFiles { key, keySet in
      #expect(await gozon("token", "keygen", "--kid", "one", "--key", key, "--jwks", keySet).status == 0)
      let before = try (Data(contentsOf: URL(fileURLWithPath: key)), Data(contentsOf: URL(fileURLWithPath: keySet)))
      let again = await gozon("token", "keygen", "--key", key, "--jwks", keySet)
      #expect(again.status == 70 && again.errors.contains("\(key) is there already, and is kept"))
      let namesake = await gozon("token", "keygen", "--kid", "one", "--key", key + "2", "--jwks", keySet)
      #expect(namesake.status == 70 && namesake.errors.contains("the kid one already"))
      let after = try (Data(contentsOf: URL(fileURLWithPath: key)), Data(contentsOf: URL(fileURLWithPath: keySet)))
      #expect(before == after && !FileManager.default.fileExists(atPath: key + "2"))
    }
  }

  @Test func `what cannot be used is said`() async throws {
    try await withFiles { key, keySet in
      #expect(await gozon("token", "keygen", "--alg", "RS256").errors.contains("--alg must be EdDSA, ES256 or HS256"))
      #expect(await gozon("token", "sign", "--key", key, "--sub", "a").errors.contains("cannot read \(key)"))
      #expect(await gozon("token", "sign", "--key", key).status == 2)
      _ = await gozon("token", "keygen", "--key", key, "--jwks", keySet)
      #expect(await gozon("token", "sign", "--key", keySet, "--sub", "a").errors.contains("one is needed"))
      let spaced = await gozon("token", "sign", "--key", key, "--sub", "a b")
      #expect(spaced.status == 67 && spaced.errors.contains("such a token has no \"sub\""))
      #expect(await gozon("token", "show", "rubbish").status == 67)
      #expect(await gozon("token", "show", "@\(key)-nowhere").status == 67)
    }
  }
}
