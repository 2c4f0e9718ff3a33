internal import COpenSSL
internal import Glibc

/// What OpenSSL left in the error queue of this thread.
struct OpenSSLErrors {
  private struct Entry {
    let library: Int32
    let reason: Int32
    let text: String?

    init(_ error: UInt) {
      library = ERR_GET_LIB(error)
      reason = ERR_GET_REASON(error)
      text = ERR_reason_error_string(error).map { String(cString: $0) }
    }
  }

  /// The earliest first, which is nearest to the cause.
  private let entries: [Entry]

  /// Takes what is in the queue, and empties it.
  static func take() -> OpenSSLErrors {
    var entries: [Entry] = []
    while case let error = ERR_get_error(), error != 0 { entries.append(Entry(error)) }
    return OpenSSLErrors(entries: entries)
  }

  /// The alert that the peer sent, when that is what ended the connection.
  var alert: UInt8? {
    entries.lazy.filter { $0.library == ERR_LIB_SSL && $0.reason >= SSL_AD_REASON_OFFSET }
      .compactMap { UInt8(exactly: $0.reason - SSL_AD_REASON_OFFSET) }.first
  }

  /// What the operating system refused; nil when it was something else.
  var system: String? {
    entries.first { $0.library == ERR_LIB_SYS }.map { String(cString: strerror($0.reason)) }
  }

  /// Whether a file had nothing of what was looked for.
  var isNothingFound: Bool {
    has(ERR_LIB_PEM, PEM_R_NO_START_LINE) || has(ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND)
      || has(ERR_LIB_OSSL_DECODER, Int32(ERR_R_UNSUPPORTED))
  }

  /// Whether a key cannot be read without its passphrase.
  var isPassphraseWanted: Bool {
    has(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ) || has(ERR_LIB_PEM, PEM_R_PROBLEMS_GETTING_PASSWORD)
  }

  /// Whether a key is not the certificate's.
  var isKeyOfAnother: Bool {
    has(ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH) || has(ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH)
  }

  /// OpenSSL's own words.
  var text: String { entries.lazy.compactMap(\.text).first ?? "no reason is known" }

  private func has(_ library: Int32, _ reason: Int32) -> Bool {
    entries.contains { $0.library == library && $0.reason == reason }
  }
}
