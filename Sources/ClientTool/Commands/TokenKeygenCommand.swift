internal import EventLoop
internal import Identity
internal import JetStream
internal import JSON
internal import TLS

/// `gozon token keygen`: a new key to sign tokens with.
struct TokenKeygenCommand: Command {
  static let syntax = CommandSyntax(
    name: "token keygen", summary: "Makes a key that signs tokens, and tells the gateway's keys of it.",
    details: """
      Writes the secret key to a file that nobody else may read, and adds the key that checks its tokens to the key set
      (JWKS) that the gateway's --auth-jwks names; keys that are in the set already stay, so that tokens of both are taken
      while one takes the other's place. The key of HS256 is secret in both files: whoever can check its tokens can make
      some.
      """,
    options: [
      .init(
        name: "alg", value: "ALG", defaultValue: SignatureAlgorithm.edDSA.rawValue,
        completion: .words(SignatureAlgorithm.allCases.map(\.rawValue)), help: "EdDSA, ES256 or HS256."),
      .init(name: "kid", value: "ID", help: "What tokens call the key; made up if left out."),
      TokenFiles.keyOption,
      .init(
        name: "jwks", value: "FILE", defaultValue: TokenFiles.keySetDefault, completion: .file,
        help: "The key set to add it to."),
      .json,
    ])

  private let algorithm: SignatureAlgorithm
  private let id: String
  private let keyPath: String
  private let keySetPath: String
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    let name = arguments.text("alg") ?? ""
    guard let algorithm = SignatureAlgorithm(rawValue: name) else {
      throw UsageError("--alg must be EdDSA, ES256 or HS256, not '\(name)'")
    }
    let id = arguments.text("kid") ?? String(UInt64.random(in: 0 ... .max), radix: 36)
    guard (1...100).contains(id.utf8.count), id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw UsageError("--kid must be 1 to 100 visible characters of ASCII")
    }
    self.algorithm = algorithm
    self.id = id
    keyPath = arguments.text("key") ?? ""
    keySetPath = arguments.text("jwks") ?? ""
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let entry = JSONWebKeySet.Entry(id: id, key: .generate(algorithm))
    try TokenFiles.write(entry, to: keyPath, keySet: keySetPath)
    let summary: JSONValue = [
      "alg": .string(algorithm.rawValue), "kid": .string(id), "key": .string(keyPath), "jwks": .string(keySetPath),
    ]
    terminal.print(
      isJSON
        ? "\(summary)"
        : """
        \(keyPath): signs tokens (\(algorithm.rawValue), kid \(id)): gozon token sign --key \(keyPath) --sub USER
        \(keySetPath): checks them: gozon-gateway --auth-jwks \(keySetPath)
        """)
    return .ok
  }
}
