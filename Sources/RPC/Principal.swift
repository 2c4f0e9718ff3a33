package import Wire

/// Who a call is made for, as the service says that makes it.
///
/// A call without a principal is the service's own: whoever may connect may do everything. It travels as the metadata
/// `principal` (who) and `scopes` (words, separated by blanks).
package struct Principal: Equatable, Sendable {
  /// The scope that may call every method.
  package static let operatorScope = "operator"
  /// The most bytes of ``subject``.
  package static let subjectBytesMax = 255

  /// Who: a user's id, or the name of a person or a program.
  package var subject: String
  /// What they may do besides what is theirs.
  package var scopes: [String]

  /// Who is called `subject`.
  package init(subject: String, scopes: [String] = []) {
    self.subject = subject
    self.scopes = scopes
  }

  /// Whether every method may be called.
  package var isOperator: Bool { scopes.contains(Self.operatorScope) }

  /// Whether it is this user.
  package func isUser(_ id: UUID) -> Bool { UUID(subject) == id }
}

extension Metadata {
  /// Who the call is made for; nil when it is the calling service's own.
  package var principal: Principal? {
    get {
      self["principal"].map { subject in
        let scopes = self["scopes"]?.split(separator: " ").map(String.init) ?? []
        return Principal(subject: subject, scopes: scopes)
      }
    }
    set {
      self["principal"] = newValue?.subject
      let scopes = newValue?.scopes.joined(separator: " ") ?? ""
      self["scopes"] = scopes.isEmpty ? nil : scopes
    }
  }
}
