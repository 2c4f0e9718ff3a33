internal import Identity

/// The tokens that were verified, so that each is verified once. A value of bounded size.
///
/// Two generations: when the younger one is full, the older one is dropped, so that what is used stays and what is not
/// goes, at no cost for either.
struct TokenCache {
  /// What an entry takes besides its texts, about.
  private static let entryBytes = 256

  private let generationBytesMax: Int
  private var younger: [String: Identity] = [:]
  private var older: [String: Identity] = [:]
  private var youngerBytes = 0

  /// An empty cache that holds so many bytes at most.
  init(bytesMax: Int = 16 << 20) { generationBytesMax = bytesMax / 2 }

  /// How many tokens it holds, those in both generations twice.
  var count: Int { younger.count + older.count }

  /// Who a token speaks for, when it has been verified; whether it has expired since is the caller's to find out.
  mutating func identity(of token: String) -> Identity? {
    if let identity = younger[token] { return identity }
    guard let identity = older[token] else { return nil }
    insert(token, identity)
    return identity
  }

  /// Keeps a token that was verified.
  mutating func insert(_ token: String, _ identity: Identity) {
    let scopes = identity.scopes.reduce(0) { $0 + $1.utf8.count + 16 }
    let bytes = Self.entryBytes + token.utf8.count + identity.subject.utf8.count + scopes
    guard bytes <= generationBytesMax else { return }
    if youngerBytes + bytes > generationBytesMax {
      older = younger
      younger = [:]
      youngerBytes = 0
    }
    if younger.updateValue(identity, forKey: token) == nil { youngerBytes += bytes }
  }
}
