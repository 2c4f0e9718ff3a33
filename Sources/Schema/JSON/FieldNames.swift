/// What callers call the fields of a route's request, where that is not what the schema calls them.
package struct FieldNames: Sendable {
  /// A part of a request that gives values by names.
  package enum Part: Sendable { case query, body }

  /// For each field the place of its value, in the order of the fields.
  private let places: [FieldSource.Place]
  /// For each field its name in the schema.
  private let fieldNames: [String]

  /// The names of a route to a method whose request this is; nil when they are the schema's.
  package init?(_ binding: HTTPBinding, request: MessageDescriptor) {
    if binding.sources.isEmpty { return nil }
    places = request.fields.map(binding.place)
    fieldNames = request.fields.map(\.name)
  }

  /// The field that a part of a request calls so.
  func index(of name: String, in part: Part) -> Int? { places.firstIndex { self.name($0, in: part) == name } }

  /// What a part of a request may give.
  func names(in part: Part) -> [String] { places.compactMap { name($0, in: part) } }

  /// What the caller calls a field.
  func name(of index: Int) -> String {
    name(places[index], in: .query) ?? name(places[index], in: .body) ?? fieldNames[index]
  }

  private func name(_ place: FieldSource.Place, in part: Part) -> String? {
    switch (place, part) {
    case (.query(let name), .query), (.body(let name), .body): name
    default: nil
    }
  }
}
