internal import RPC
internal import Wire

/// Who sends a request, as far as the gateway asks for that.
struct Caller: Equatable, Sendable {
  /// Who the services are told that it is.
  let principal: Principal
  /// Until when that is known; nil when nothing is known.
  let expiresAt: Timestamp?

  /// Somebody who does not say who it is: may do what everybody may.
  static let stranger = Caller(principal: Principal(subject: ""), expiresAt: nil)

  /// Whether it is known who it is.
  var isKnown: Bool { expiresAt != nil }

  /// Who it is; nil when that is not known.
  var user: String? { isKnown ? principal.subject : nil }
}
