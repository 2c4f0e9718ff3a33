/// A place in one of several schema files.
package struct SourcePlace: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The file's name, as it was given to ``SchemaSet``.
  package let file: String
  /// Where in the file.
  package let position: SourcePosition

  /// A place.
  package init(file: String, position: SourcePosition) {
    self.file = file
    self.position = position
  }

  /// `file:line:column`, as editors and compilers write it.
  package var description: String { "\(file):\(position)" }

  /// Orders by files, then as one reads.
  package static func < (left: SourcePlace, right: SourcePlace) -> Bool {
    (left.file, left.position) < (right.file, right.position)
  }
}

extension SchemaSet {
  /// A place in one of the set's files.
  func place(_ file: Int, _ position: SourcePosition) -> SourcePlace {
    SourcePlace(file: files[file].name, position: position)
  }
}
