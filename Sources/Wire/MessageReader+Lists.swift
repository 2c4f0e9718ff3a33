extension MessageReader {
  /// Reads a list of values of a fixed size; empty when absent.
  public mutating func list<Element: FixedSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> [Element] {
    do throws(DecodingError) {
      guard let list = try list(number, at: slot, elementSize: Element.slotSize) else { return [] }
      var elements: [Element] = []
      elements.reserveCapacity(list.count)
      for index in 0..<list.count {
        let offset = list.start + index * Element.slotSize
        guard let element = Element.load(bytes, at: offset) else { throw Self.invalid(Element.self, at: offset) }
        elements.append(element)
      }
      return elements
    } catch {
      throw error.inside(name.description)
    }
  }

  /// Reads a list of values with content; empty when absent.
  public mutating func list<Element: VariableSizeValue>(
    _ number: Int, at slot: Int, _ name: StaticString
  ) throws(DecodingError) -> [Element] {
    do throws(DecodingError) {
      guard var list = try listOfContents(number, at: slot) else { return [] }
      var elements: [Element] = []
      elements.reserveCapacity(list.count)
      while let range = try next(&list) {
        do throws(DecodingError) {
          elements.append(try Element.decode(bytes.extracting(range), budget: &budget))
        } catch {
          throw error.inside("[\(list.index - 1)]", startingAt: range.lowerBound)
        }
      }
      return elements
    } catch {
      throw error.inside(name.description)
    }
  }

  /// Where the elements of a list of values of a fixed size begin, and their count; nil when absent.
  ///
  /// They take up exactly the content, and the budget is charged with them. Errors name no field.
  public mutating func list(
    _ number: Int, at slot: Int, elementSize: Int
  ) throws(DecodingError) -> (start: Int, count: Int)? {
    guard let (range, count) = try listContent(number, at: slot, elementSize: elementSize) else { return nil }
    guard count * elementSize == range.count - 4 else { throw Self.wrongLength(range) }
    return (range.lowerBound + 4, count)
  }

  /// A list of values with content, for ``next(_:)``; nil when absent. Errors name no field.
  public mutating func listOfContents(_ number: Int, at slot: Int) throws(DecodingError) -> ContentList? {
    guard let (range, count) = try listContent(number, at: slot, elementSize: 4) else { return nil }
    return ContentList(range: range, count: count)
  }

  /// Where the next element's content is; nil behind the last one. Throws unless they take up exactly the list.
  public func next(_ list: inout ContentList) throws(DecodingError) -> Range<Int>? {
    guard list.index < list.count else {
      if list.position == list.range.upperBound { return nil }
      throw Self.wrongLength(list.range)
    }
    let length = UInt32.load(bytes, at: list.range.lowerBound + 4 + 4 * list.index) ?? 0
    let start = list.position
    let end = start + Int(length)
    guard end <= list.range.upperBound else { throw Self.wrongLength(list.range) }
    list.index += 1
    list.position = end
    return start..<end
  }

  /// The content of a present list and its count, for which there is room and budget.
  private mutating func listContent(
    _ number: Int, at slot: Int, elementSize: Int
  ) throws(DecodingError) -> (range: Range<Int>, count: Int)? {
    guard let range = try content(number, at: slot) else { return nil }
    guard range.count >= 4 else { throw Self.wrongLength(range) }
    let count = Int(UInt32.load(bytes, at: range.lowerBound) ?? 0)
    guard count <= (range.count - 4) / elementSize else { throw Self.wrongLength(range) }
    guard count <= budget.elements else {
      throw DecodingError("the lists have too many elements", at: range.lowerBound)
    }
    budget.elements -= count
    return (range, count)
  }

  @inline(never)
  private static func wrongLength(_ range: Range<Int>) -> DecodingError {
    DecodingError(
      "the list's elements do not take up exactly its \(range.count) bytes", at: range.lowerBound)
  }
}

/// A list of values with content, being read.
public struct ContentList {
  /// The number of elements.
  public let count: Int
  /// The index of the next element.
  public fileprivate(set) var index = 0
  fileprivate let range: Range<Int>
  /// Where the next element's content begins.
  fileprivate var position: Int

  fileprivate init(range: Range<Int>, count: Int) {
    self.range = range
    self.count = count
    position = range.lowerBound + 4 + 4 * count
  }
}
