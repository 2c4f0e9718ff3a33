package import JSON
internal import TLS
internal import Wire

extension JSONWebKeySet {
  /// The document; without the secrets of keys that have a public part.
  package var publicJSON: JSONValue { ["keys": .array(entries.map { Self.json($0, withSecret: false) })] }

  /// A key as a JSON Web Key with its secret.
  package static func secretJSON(_ entry: Entry) -> JSONValue { json(entry, withSecret: true) }

  private static func json(_ entry: Entry, withSecret: Bool) -> JSONValue {
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ bytes: [UInt8]?) {
      if let bytes { members.append(.init(name, .string(Base64.url.encode(bytes)))) }
    }
    switch entry.key.parts {
    case .hmac(let secret):
      members.append(.init("kty", "oct"))
      add("k", secret)
    case .ed25519(let point, let secret):
      members += [.init("kty", "OKP"), .init("crv", "Ed25519")]
      add("x", point)
      if withSecret { add("d", secret) }
    case .p256(let x, let y, let secret):
      members += [.init("kty", "EC"), .init("crv", "P-256")]
      add("x", x)
      add("y", y)
      if withSecret { add("d", secret) }
    }
    members += [.init("alg", .string(entry.key.algorithm.rawValue)), .init("use", "sig")]
    if let id = entry.id { members.append(.init("kid", .string(id))) }
    return .object(members)
  }
}
