extension MessageReader {
  /// Reads a list of values of a fixed size; empty when absent.
  public mutating func list<Element: FixedSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> [Element] {
    guard let list = try listContent(number, at: slot, elementSize: Element.slotSize, name) else { return [] }
    guard list.count * Element.slotSize == list.range.count - 4 else {
      throw Self.wrongLength(list.range, at: slot, name)
    }
    var elements: [Element] = []
    elements.reserveCapacity(list.count)
    for index in 0..<list.count {
      let offset = list.range.lowerBound + 4 + index * Element.slotSize
      guard let element = Element.load(bytes, at: offset) else {
        throw Self.invalid(Element.self, at: offset, name)
      }
      elements.append(element)
    }
    return elements
  }

  /// Reads a list of values with content; empty when absent.
  public mutating func list<Element: VariableSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> [Element] {
    guard let list = try listContent(number, at: slot, elementSize: 4, name) else { return [] }
    var elements: [Element] = []
    elements.reserveCapacity(list.count)
    var start = list.range.lowerBound + 4 + 4 * list.count
    for index in 0..<list.count {
      let length = UInt32.load(bytes, at: list.range.lowerBound + 4 + 4 * index) ?? 0
      let end = start + Int(length)
      guard end <= list.range.upperBound else { throw Self.wrongLength(list.range, at: slot, name) }
      do {
        elements.append(try Element.decode(bytes.extracting(start..<end), budget: &budget))
      } catch {
        throw error.inside("\(name)[\(index)]", startingAt: start)
      }
      start = end
    }
    guard start == list.range.upperBound else { throw Self.wrongLength(list.range, at: slot, name) }
    return elements
  }

  /// The content of a present list and its count, which the content has room for and the budget is charged with.
  mutating func listContent(
    _ number: Int, at slot: Int, elementSize: Int, _ name: StaticString
  ) throws(DecodingError) -> (range: Range<Int>, count: Int)? {
    guard try isPresent(number, at: slot, size: 8, name) else { return nil }
    let range = try contentRange(at: slot, name)
    guard range.count >= 4 else { throw Self.wrongLength(range, at: slot, name) }
    let count = Int(UInt32.load(bytes, at: range.lowerBound) ?? 0)
    guard count <= (range.count - 4) / elementSize else { throw Self.wrongLength(range, at: slot, name) }
    guard count <= budget.elements else {
      throw DecodingError("the lists have too many elements", at: range.lowerBound, field: name.description)
    }
    budget.elements -= count
    return (range, count)
  }

  @inline(never)
  static func wrongLength(_ range: Range<Int>, at slot: Int, _ name: StaticString) -> DecodingError {
    DecodingError(
      "the list's elements do not take up exactly its \(range.count) bytes", at: range.lowerBound,
      field: name.description)
  }
}
