internal import EventLoop
internal import Identity
internal import JetStream
internal import JSON
internal import RPC
internal import Wire

/// `gozon token sign`: a token.
struct TokenSignCommand: Command {
  static let syntax = CommandSyntax(
    name: "token sign", summary: "Makes a token for a user, for development and for scripts of operators.",
    details: """
      A user is who the orders and accounts are that bear its id as userId. The scope 'operator' may do everything.

      curl -H "Authorization: Bearer $(gozon token sign --sub USER)" http://127.0.0.1:8080/v1/accounts/USER
      """,
    options: [
      TokenFiles.keyOption,
      .init(name: "sub", value: "USER", help: "Whom it speaks for: a user's id, or the name of a person or a program."),
      .init(name: "scope", value: "WORD", isRepeatable: true, help: "What they may do besides what is theirs."),
      .init(name: "iss", value: "ISSUER", help: "Who makes it, as the gateway's --auth-issuer wants it."),
      .init(name: "aud", value: "AUDIENCE", help: "Whom it is made for, as the gateway's --auth-audience wants it."),
      .init(name: "ttl", value: "TIME", defaultValue: "1h", help: "How long it holds, 24h at most."), .json,
    ])

  private let keyPath: String
  private let subject: String
  private let scopes: [String]
  private let issuer: String?
  private let audience: String?
  private let lifetime: Duration
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    keyPath = arguments.text("key") ?? ""
    subject = arguments.text("sub") ?? ""
    guard !subject.isEmpty else { throw UsageError("--sub USER is missing: whom the token speaks for") }
    scopes = arguments.all("scope").flatMap { $0.split(separator: " ").map(String.init) }
    issuer = arguments.text("iss")
    audience = arguments.text("aud")
    lifetime = try arguments.duration("ttl") ?? .seconds(3_600)
    guard lifetime >= .seconds(1) else { throw UsageError("--ttl must be a second at least") }
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let entry = try TokenFiles.key(keyPath)
    let token = try token(entry)
    let identity = try check(token, entry)
    let answer: JSONValue = ["token": .string(token), "expiresAt": .string("\(identity.expiresAt)")]
    terminal.print(isJSON ? "\(answer)" : token)
    return .ok
  }

  private func token(_ entry: JSONWebKeySet.Entry) throws(RPCError) -> String {
    var claims = TokenMaker.Claims(subject: subject, issuedAt: .now, lifetime: lifetime)
    claims.scopes = scopes
    claims.issuer = issuer
    claims.audience = audience
    if let token = TokenMaker(entry).token(claims) { return token }
    throw RPCError(.invalidArgument, "\(keyPath) is a public key: only the secret one signs tokens")
  }

  /// What no gateway would take is not handed out.
  private func check(_ token: String, _ entry: JSONWebKeySet.Entry) throws(RPCError) -> Identity {
    let verifier = TokenVerifier(keys: JSONWebKeySet([entry]), issuer: issuer, audience: audience)
    do throws(TokenRefusal) {
      return try verifier.verify(token, now: .now)
    } catch {
      throw RPCError(.invalidArgument, "such a token \(error)")
    }
  }
}
