/// The fields of a message's head, in order; names compare without regard to case (RFC 9110 section 5).
///
/// All text lies in one array of bytes and each field is four offsets into it, so that a head costs two allocations
/// however many fields it has.
package struct HTTPFields: Sendable {
  /// Where one field lies in the text.
  struct Entry: Sendable, BitwiseCopyable {
    var name: Extent
    var value: Extent
  }

  /// A run of bytes of the text.
  struct Extent: Sendable, BitwiseCopyable {
    var start: UInt32
    var count: UInt32

    init(_ start: Int, count: Int) {
      self.start = UInt32(start)
      self.count = UInt32(count)
    }

    var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
  }

  /// A parsed request's whole head, or the `name: value` lines that were appended.
  private(set) var text: [UInt8]
  private(set) var entries: [Entry]

  /// No fields.
  package init() {
    text = []
    entries = []
  }

  /// Fields in the order given.
  package init(_ fields: [(String, String)]) {
    self.init()
    for (name, value) in fields { append(name, value) }
  }

  init(text: [UInt8], entries: [Entry]) {
    self.text = text
    self.entries = entries
  }

  /// How many fields there are.
  package var count: Int { entries.count }

  /// Adds a field after the others.
  ///
  /// A control character in the value becomes a space (RFC 9110 section 5.5), so that no value can end its line.
  /// The name must be a token.
  package mutating func append(_ name: String, _ value: String) {
    let (nameCount, valueCount) = (name.utf8.count, value.utf8.count)
    if text.isEmpty {
      text.reserveCapacity(max(256, nameCount + valueCount + 4))
      entries.reserveCapacity(8)
    }
    let nameStart = text.count
    text.append(contentsOf: name.utf8)
    precondition(nameCount > 0 && text[nameStart...].allSatisfy(\.isTokenCharacter), "a field name must be a token")
    text.append(.colon)
    text.append(.space)
    let valueStart = text.count
    text.append(contentsOf: value.utf8)
    for index in valueStart..<text.count where !text[index].isFieldCharacter { text[index] = .space }
    entries.append(
      Entry(
        name: Extent(nameStart, count: valueStart - 2 - nameStart),
        value: Extent(valueStart, count: text.count - valueStart)))
    text.append(.carriageReturn)
    text.append(.lineFeed)
  }

  /// Gives the field of this name another value: those of this name go, and one is added after the others.
  package mutating func replace(_ name: String, _ value: String) {
    var kept = HTTPFields()
    for index in entries.indices where !text[entries[index].name.range].equalsIgnoringCase(name) {
      let field = field(at: index)
      kept.append(field.name, field.value)
    }
    kept.append(name, value)
    self = kept
  }

  /// The value of the first field of this name; nil when there is none.
  package subscript(name: String) -> String? {
    firstIndex(of: name, from: 0).map { string(entries[$0].value) }
  }

  /// Whether there is a field of this name.
  package func contains(_ name: String) -> Bool { firstIndex(of: name, from: 0) != nil }

  /// The values of all fields of this name, in order.
  package func values(of name: String) -> [String] {
    var values: [String] = []
    var next = firstIndex(of: name, from: 0)
    while let index = next {
      values.append(string(entries[index].value))
      next = firstIndex(of: name, from: index + 1)
    }
    return values
  }

  /// The values of all fields of this name as one list (RFC 9110 section 5.3); nil when there is none.
  package func list(_ name: String) -> String? {
    guard let first = firstIndex(of: name, from: 0) else { return nil }
    guard firstIndex(of: name, from: first + 1) != nil else { return string(entries[first].value) }
    return values(of: name).joined(separator: ", ")
  }

  /// The field at a position from 0 to `count - 1`.
  package func field(at position: Int) -> (name: String, value: String) {
    (string(entries[position].name), string(entries[position].value))
  }

  private func string(_ extent: Extent) -> String { String(decoding: text[extent.range], as: UTF8.self) }

  private func firstIndex(of name: String, from start: Int) -> Int? {
    let count = UInt32(name.utf8.count)
    var index = start
    while index < entries.count {
      let extent = entries[index].name
      if extent.count == count, text[extent.range].equalsIgnoringCase(name) { return index }
      index += 1
    }
    return nil
  }
}
