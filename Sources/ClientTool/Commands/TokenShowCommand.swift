internal import EventLoop
internal import Glibc
internal import Identity
internal import JetStream
internal import JSON
internal import RPC
internal import Wire

/// `gozon token show`: what a token says, and whether it holds.
struct TokenShowCommand: Command {
  static let syntax = CommandSyntax(
    name: "token show", summary: "Shows what a token says and, given the keys, whether it would be taken.",
    details: "Exit status 1 when it would not be taken. Without keys nothing is checked: what it says may be a lie.",
    operands: [
      .init(
        name: "TOKEN", completion: .fileBehindAt,
        help: "The token, @FILE, or - for standard input: other users see the arguments of a process.")
    ],
    options: [
      .init(
        name: "jwks", value: "FILE", variable: "GOZON_AUTH_JWKS", completion: .file,
        help: "The keys that check tokens, as the gateway's --auth-jwks has them."),
      .init(name: "iss", value: "ISSUER", variable: "GOZON_AUTH_ISSUER", help: "Who must have made it."),
      .init(name: "aud", value: "AUDIENCE", variable: "GOZON_AUTH_AUDIENCE", help: "Whom it must be made for."), .json,
    ])

  private let source: String
  private let keySetPath: String?
  private let issuer: String?
  private let audience: String?
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    source = arguments.operand(0) ?? ""
    keySetPath = arguments.text("jwks")
    issuer = arguments.text("iss")
    audience = arguments.text("aud")
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let text = try token(terminal)
    guard let token = CompactToken(text) else {
      throw RPCError(.invalidArgument, "this is no JSON Web Token in compact form")
    }
    let refusal: String? = if let keySetPath { try self.refusal(of: text, keySet: keySetPath) } else { nil }
    let verdict =
      switch refusal {
      case nil: "not checked: --jwks names no keys"
      case "": "good"
      case let reason?: "refused: it \(reason)"
      }
    terminal.print(isJSON ? "\(Self.json(token, refusal))" : Self.text(token, verdict))
    return refusal?.isEmpty ?? true ? .ok : .notWell
  }

  private func token(_ terminal: Terminal) throws(RPCError) -> String {
    let sizeMax = TokenVerifier.bytesMax + 1
    let text: String
    switch source {
    case "-":
      let path = terminal.input == STDIN_FILENO ? "/dev/stdin" : "/proc/self/fd/\(terminal.input)"
      text = try WholeFile.text(of: path, sizeMax: sizeMax)
    case let file where file.hasPrefix("@"):
      text = try WholeFile.text(of: String(file.dropFirst()), sizeMax: sizeMax)
    default: text = source
    }
    return text.filter { !$0.isWhitespace }
  }

  /// Why the token would not be taken; empty when it would.
  private func refusal(of token: String, keySet path: String) throws(RPCError) -> String {
    let verifier = TokenVerifier(keys: try TokenFiles.keySet(path), issuer: issuer, audience: audience)
    do throws(TokenRefusal) {
      _ = try verifier.verify(token, now: .now)
      return ""
    } catch {
      return error.description
    }
  }

  private static func json(_ token: CompactToken, _ refusal: String?) -> JSONValue {
    var members: [JSONValue.Member] = [.init("header", token.header), .init("claims", token.claims ?? .null)]
    if let refusal {
      members.append(.init("good", .bool(refusal.isEmpty)))
      if !refusal.isEmpty { members.append(.init("reason", .string(refusal))) }
    }
    return .object(members)
  }

  private static func text(_ token: CompactToken, _ verdict: String) -> String {
    var table = TextTable("NAME", "VALUE")
    for member in (token.header.members ?? []) + (token.claims?.members ?? []) {
      table.append(member.name, value(member))
    }
    return "\(table.text)\n\n\(verdict)"
  }

  /// A value for people: times as such.
  private static func value(_ member: JSONValue.Member) -> String {
    if ["exp", "nbf", "iat"].contains(member.name), let seconds = member.value.integer,
      (0...253_402_300_799).contains(seconds)
    {
      return "\(Timestamp(microseconds: seconds * 1_000_000))"
    }
    return member.value.string ?? "\(member.value)"
  }
}
