/// What a shell may offer for a word of the command line.
enum Completion: Equatable, Sendable {
  /// Nothing is known of it.
  case nothing
  /// A method, such as `Orders.CreateOrder`.
  case method
  /// Anything that has a name in the schemas.
  case name
  /// A file.
  case file
  /// A file behind an `@`.
  case fileBehindAt
  /// One of these.
  case words([String])
}
