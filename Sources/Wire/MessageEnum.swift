/// An enumeration of a schema. The conforming types are generated from `Schemas/*.gozon`.
public protocol MessageEnum: FixedSizeValue, RawRepresentable<UInt16>, CaseIterable, Hashable, Sendable,
  CustomStringConvertible
{
  /// The name in its schema with the package, such as `gozon.orders.OrderStatus`.
  static var fullName: String { get }
  /// The case's name in the schema, such as `INSUFFICIENT_FUNDS`: what JSON and people see.
  var name: String { get }
}

extension MessageEnum {
  /// The case of this name in the schema; nil when there is none.
  public init?(name: some StringProtocol) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The case's name in the schema.
  public var description: String { name }
}
