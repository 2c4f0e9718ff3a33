import JSON
import JetStream
import RPC
import Schema
import Service
import Testing

@testable import ClientTool

@Suite struct CatalogTests {
  private static let shop = """
    /// A shop.
    package test.shop

    /// How ripe.
    enum Ripeness {
      /// Not yet.
      GREEN = 1
      /// Now.
      RIPE = 2
    }

    /// Fruit.
    message Fruit {
      /// What it is called.
      name: string = 1 @length(1, 20)
      /// When to eat it.
      ripeness: Ripeness? = 2
      /// What it weighs.
      grams: list<int32> = 3 @length(1, 9)
    }

    /// Asks for fruit.
    message Pick {
    }

    /// Sells.
    service Shop = 40 {
      /// Takes one.
      rpc Fruit(Pick) -> Fruit = 1 @idempotent
        @http(GET, "/fruit")
      /// Puts one.
      rpc Put(Fruit) -> Pick = 2
    }
    """

  static func catalog(failures: [RPCError] = []) throws -> Catalog {
    let reflection = ReflectResponse(
      server: "gozon-shop", services: ["test.shop.Shop"], files: [.init(name: "shop.gozon", source: shop)])
    return Catalog(
      servers: [try ReflectedServer(address: #require(Address("h:1")), reflection)], failures: failures)
  }

  private static func describe(_ name: String) throws -> [String] {
    try catalog().entries(named: name).map { Description(schemas: $0.schemas).text(of: $0) }
  }

  @Test(arguments: ["Shop.Fruit", "test.shop.Shop.Fruit", "test.shop.Shop/Fruit", "Shop/Fruit", "shop.Shop.Fruit"])
  func `a method is found with or without its package`(name: String) throws {
    #expect(try Self.catalog().method(named: name).descriptor.fullName == "test.shop.Shop/Fruit")
  }

  @Test func `health and reflection are methods of every server`() throws {
    #expect(try Self.catalog().method(named: "Server.CheckHealth").descriptor.id == 0x0101)
  }

  @Test func `an unknown method is named with the one that was meant`() throws {
    let catalog = try Self.catalog()
    #expect {
      try catalog.method(named: "Shop.Friut")
    } throws: { error in
      let error = error as? RPCError
      return error?.code == .unimplemented && error?.message.contains("did you mean 'Shop.Fruit'?") == true
    }
  }

  @Test func `what cannot be found may be at a server that cannot be reached`() throws {
    let catalog = try Self.catalog(failures: [RPCError(.unavailable, "gone")])
    #expect(throws: RPCError(.unavailable, "gone")) { try catalog.method(named: "Other.Thing") }
    #expect(throws: RPCError(.unavailable, "gone")) { try catalog.entries(named: "Other") }
    #expect(try catalog.method(named: "Shop.Put").descriptor.number == 2)
  }

  @Test func `a name that means two things is described twice`() throws {
    let texts = try Self.describe("Fruit")
    #expect(texts.count == 2 && texts[0].hasPrefix("method test.shop.Shop/Fruit"))
    #expect(texts[1].hasPrefix("message test.shop.Fruit"))
  }

  @Test func `a message is described with types, bounds and an example`() throws {
    #expect(
      try Self.describe("test.shop.Fruit") == [
        """
        message test.shop.Fruit
          Fruit.

          NO  FIELD     TYPE                 BOUNDS          DOCS
           1  name      string               length 1 to 20  What it is called.
           2  ripeness  test.shop.Ripeness?                  When to eat it.
           3  grams     list<int32>          length 1 to 9   What it weighs.

          As JSON:
          {
            "name": "a",
            "ripeness": "GREEN",
            "grams": [
              1
            ]
          }
        """
      ])
  }

  @Test func `a method is described with its route, whether it may be repeated, and a call`() throws {
    let text = try #require(try Self.describe("Shop.Fruit").first)
    #expect(text.contains("HTTP    GET /fruit -> 200"))
    #expect(text.contains("repeat  harmless\n"))
    #expect(text.contains("request test.shop.Pick") && text.contains("It has no fields."))
    #expect(text.hasSuffix("gozon call Shop.Fruit '{}'"))
    #expect(try Self.describe("Shop.Put").first?.contains("may do it twice") == true)
  }

  @Test func `services and enums are described`() throws {
    let service = try #require(try Self.describe("Shop").first)
    #expect(service.hasPrefix("service test.shop.Shop (number 40)\n  Sells."))
    #expect(service.contains("Shop.Fruit  Pick     Fruit     GET /fruit  Takes one."))
    #expect(try Self.describe("Ripeness").first?.contains("2  RIPE   Now.") == true)
  }

  @Test func `what is described is described as JSON too`() throws {
    let catalog = try Self.catalog()
    for name in ["Shop", "Shop.Put", "Pick", "Ripeness", "test.shop.Fruit"] {
      let entry = try #require(try catalog.entries(named: name).first)
      let json = Description(schemas: entry.schemas).json(of: entry)
      #expect(json["name"]?.string == entry.fullName && json["docs"]?.string?.isEmpty == false)
    }
    let entry = try #require(try catalog.entries(named: "Shop.Put").first)
    let json = Description(schemas: entry.schemas).json(of: entry)
    #expect(json["request"]?["fields"]?.array?.count == 3 && json["example"]?["name"]?.string == "a")
  }

  @Test func `a server whose schemas cannot be read is no server`() throws {
    let reflection = ReflectResponse(
      server: "x", services: [], files: [.init(name: "x.gozon", source: "package 1")])
    let address = try #require(Address("h:1"))
    #expect(throws: RPCError.self) { try ReflectedServer(address: address, reflection) }
  }
}
