/// One mistake in a route file.
package struct RouteFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The line, from 1.
  package let line: Int
  /// What is wrong, and what would be right.
  package let message: String

  /// `line 3: …`.
  package var description: String { "line \(line): \(message)" }
}

/// Everything that is wrong with a route file, in the order of its lines.
package struct RouteFileErrors: Error, Equatable, Sendable, CustomStringConvertible {
  /// The mistakes; at least one, at most ``countMax``.
  package let errors: [RouteFileError]

  /// The most mistakes that are reported at once.
  static let countMax = 20

  init(_ errors: [RouteFileError]) { self.errors = Array(errors.sorted { $0.line < $1.line }.prefix(Self.countMax)) }

  /// The mistakes, one behind the other.
  package var description: String { errors.map(\.description).joined(separator: "; ") }
}
