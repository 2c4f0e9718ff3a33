/// One mistake in a schema file.
package struct SchemaError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's name, as it was given to ``SchemaSet``.
  package let file: String
  /// Where in the file.
  package let position: SourcePosition
  /// What is wrong, and what would be right.
  package let message: String

  /// A mistake at this place.
  package init(file: String, position: SourcePosition, message: String) {
    self.file = file
    self.position = position
    self.message = message
  }

  /// The form that editors and compilers share: `file:line:column: error: message`.
  package var description: String { "\(file):\(position): error: \(message)" }
}

/// Everything wrong with a set of schema files, in the order of the files and of their lines.
package struct SchemaErrors: Error, Equatable, Sendable, CustomStringConvertible {
  /// The mistakes; at least one, at most ``countMax``.
  package let errors: [SchemaError]

  /// The most mistakes that are reported at once.
  package static let countMax = 100

  /// These mistakes; at least one.
  package init(errors: [SchemaError]) { self.errors = errors }

  /// The same mistakes in files of a directory, so that an editor finds them.
  package func inDirectory(_ directory: String) -> SchemaErrors {
    SchemaErrors(
      errors: errors.map { SchemaError(file: "\(directory)/\($0.file)", position: $0.position, message: $0.message) })
  }

  /// One line for each mistake.
  package var description: String { errors.map(\.description).joined(separator: "\n") }
}

/// A place in a schema file; lines and columns count from 1, columns in Unicode scalars.
package struct SourcePosition: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The line, from 1.
  package var line = 1
  /// The column, from 1.
  package var column = 1

  /// A place; the first one unless told otherwise.
  package init(line: Int = 1, column: Int = 1) {
    self.line = line
    self.column = column
  }

  /// `line:column`.
  package var description: String { "\(line):\(column)" }

  /// Orders as one reads.
  package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.line, left.column) < (right.line, right.column)
  }
}

/// Collects the mistakes of one file, up to the bound.
struct SchemaDiagnostics {
  let file: String
  private(set) var errors: [SchemaError] = []

  init(file: String) { self.file = file }

  /// Notes a mistake, unless there are enough.
  mutating func report(_ message: String, at position: SourcePosition) {
    guard errors.count < SchemaErrors.countMax else { return }
    errors.append(SchemaError(file: file, position: position, message: message))
  }
}
