/// Why a token is refused; a caller may hear it.
package struct TokenRefusal: Error, Equatable, CustomStringConvertible {
  /// In words that follow "the token".
  package let description: String

  init(_ description: String) { self.description = description }

  static let malformed = TokenRefusal("is no JSON Web Token in compact form")
  static let unsigned = TokenRefusal("is not signed by a key that is known here")
}
