/// What two versions of the schemas have in common: what is on the left of a pair has become what is on the right.
struct Pairs {
  /// The services of both, by their indexes.
  private(set) var services: [Int: Int] = [:]
  /// The messages of both, by their indexes.
  private(set) var messages: [Int: Int] = [:]
  /// The enums of both, by their indexes.
  private(set) var enums: [Int: Int] = [:]
  /// The packages that got another name.
  let packages: [String: String]

  private let old: SchemaSet
  private let new: SchemaSet

  init(_ old: SchemaSet, _ new: SchemaSet) {
    (self.old, self.new) = (old, new)
    packages = Pairs.renamedPackages(old, new)
    services = Pairs.byNameThenNumber(
      old.services.map { (currentName($0.fullName, $0.file), Int($0.number)) },
      new.services.map { ($0.fullName, Int($0.number)) })
    for (index, message) in old.messages.enumerated() {
      messages[index] = new.messages.firstIndex { $0.fullName == currentName(message.fullName, message.file) }
    }
    for (index, type) in old.enums.enumerated() {
      enums[index] = new.enums.firstIndex { $0.fullName == currentName(type.fullName, type.file) }
    }
    pairRenamedTypes()
  }

  /// The methods of two services that are a pair.
  static func methods(_ old: ServiceDescriptor, _ new: ServiceDescriptor) -> [Int: Int] {
    byNameThenNumber(
      old.methods.map { ($0.name, Int($0.number)) }, new.methods.map { ($0.name, Int($0.number)) })
  }

  /// Whether a type is still the same.
  func isSame(_ old: FieldType, _ new: FieldType) -> Bool {
    switch (old, new) {
    case (.message(let old), .message(let new)): messages[old] == new
    case (.enumeration(let old), .enumeration(let new)): enums[old] == new
    default: old == new
    }
  }

  /// A name of the older version under its package's name of today.
  func currentName(_ fullName: String, _ file: Int) -> String {
    let package = old.files[file].package
    guard let renamed = packages[package] else { return fullName }
    return renamed + fullName.dropFirst(package.count)
  }

  private static func renamedPackages(_ old: SchemaSet, _ new: SchemaSet) -> [String: String] {
    let kept = Set(new.files.map(\.package))
    var renamed: [String: String] = [:]
    for file in old.files where !kept.contains(file.package) {
      renamed[file.package] = new.files.first { $0.name == file.name }?.package
    }
    return renamed
  }

  /// What has the same name is a pair; what is left over, is one when it has the same number.
  private static func byNameThenNumber(
    _ old: [(name: String, number: Int)], _ new: [(name: String, number: Int)]
  ) -> [Int: Int] {
    var pairs: [Int: Int] = [:]
    for (index, item) in old.enumerated() { pairs[index] = new.firstIndex { $0.name == item.name } }
    let taken = Set(pairs.values)
    for (index, item) in old.enumerated() where pairs[index] == nil {
      pairs[index] = new.indices.first { new[$0].number == item.number && !taken.contains($0) }
    }
    return pairs
  }

  /// A type whose name is gone has become the type that stands in its places, unless that one has another past.
  private mutating func pairRenamedTypes() {
    for (index, newIndex) in services.sorted(by: <) {
      let (old, new) = (old.services[index].methods, new.services[newIndex].methods)
      for (left, right) in Pairs.methods(self.old.services[index], self.new.services[newIndex]).sorted(by: <) {
        pair(old[left].request, new[right].request)
        pair(old[left].response, new[right].response)
      }
    }
    var waiting = messages.sorted(by: <)
    while let (index, newIndex) = waiting.popLast() {
      for field in old.messages[index].fields {
        guard let current = new.messages[newIndex].fields.first(where: { $0.number == field.number }) else { continue }
        switch (field.type, current.type) {
        case (.message(let left), .message(let right)): if pair(left, right) { waiting.append((left, right)) }
        case (.enumeration(let left), .enumeration(let right)):
          if enums[left] == nil, !enums.values.contains(right) { enums[left] = right }
        default: break
        }
      }
    }
  }

  /// - Returns: Whether they have become a pair by this.
  @discardableResult private mutating func pair(_ old: Int, _ new: Int) -> Bool {
    guard messages[old] == nil, !messages.values.contains(new) else { return false }
    messages[old] = new
    return true
  }
}
