internal import Identity
internal import JSON
internal import RPC
internal import TLS

/// The files that keys of tokens lie in: one with the secret key, and one with the keys that check tokens, which is what
/// the gateway's `--auth-jwks` names.
enum TokenFiles {
  /// Where the secret key lies, unless said otherwise.
  static let keyDefault = "token-key.json"
  /// Where the keys lie that check tokens, unless said otherwise.
  static let keySetDefault = "token-jwks.json"

  /// The option that names the file of the secret key.
  static let keyOption = CommandSyntax.Option(
    name: "key", value: "FILE", defaultValue: keyDefault, completion: .file,
    help: "The file of the secret key (JSON Web Key).")

  /// The secret key of a file.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when it has none.
  static func key(_ path: String) throws(RPCError) -> JSONWebKeySet.Entry {
    let bytes = try WholeFile.bytes(of: path, sizeMax: JSONWebKeySet.bytesMax)
    do throws(JSONWebKeySet.Refusal) {
      return try JSONWebKeySet.key(parsing: bytes)
    } catch {
      throw RPCError(.invalidArgument, "\(path) \(error)")
    }
  }

  /// The keys of a file that check tokens.
  ///
  /// - Throws: ``RPCError`` INVALID_ARGUMENT when they cannot be used.
  static func keySet(_ path: String) throws(RPCError) -> JSONWebKeySet {
    let bytes = try WholeFile.bytes(of: path, sizeMax: JSONWebKeySet.bytesMax)
    do throws(JSONWebKeySet.Refusal) {
      return try JSONWebKeySet(parsing: bytes)
    } catch {
      throw RPCError(.invalidArgument, "\(path) \(error)")
    }
  }

  /// Writes a new key to a file of its own, and adds it to the keys that check tokens, where others stay as they are.
  ///
  /// - Throws: ``RPCError`` ALREADY_EXISTS when there is a key in the file or one of this name among the others,
  ///   INVALID_ARGUMENT when a file cannot be used.
  static func write(_ entry: JSONWebKeySet.Entry, to keyPath: String, keySet path: String) throws(RPCError) {
    var keys: [JSONValue] = []
    if WholeFile.exists(path) {
      let known = try keySet(path)
      guard !known.entries.contains(where: { $0.id == entry.id }) else {
        throw RPCError(.alreadyExists, "\(path) has a key with the kid \(entry.id ?? "") already")
      }
      keys = try allKeys(path)
    }
    keys += JSONWebKeySet([entry]).publicJSON["keys"]?.array ?? []
    try WholeFile.writeSecret("\(JSONWebKeySet.secretJSON(entry))\n", to: keyPath)
    try WholeFile.replace(path, by: "\(JSONValue.object([.init("keys", .array(keys))]))\n")
  }

  /// The keys of a file as they lie there: those of other types, and members that are not known here, stay.
  private static func allKeys(_ path: String) throws(RPCError) -> [JSONValue] {
    let bytes = try WholeFile.bytes(of: path, sizeMax: JSONWebKeySet.bytesMax)
    return (try? JSONValue(parsing: bytes.span))?["keys"]?.array ?? []
  }
}
