/// A schema file's text, as reflection hands it out.
package struct SchemaText: Sendable, Equatable {
  /// Such as `orders.gozon`.
  package let name: String
  /// The whole file.
  package let source: String

  /// The file `name`.
  package init(name: String, source: String) {
    self.name = name
    self.source = source
  }
}

/// A service that a server offers: its methods bound to an implementation. Made by the schema compiler.
package struct ServiceDefinition: Sendable {
  /// The service's number; unique in a server.
  package let number: UInt8
  /// Such as `gozon.orders.Orders`.
  package let name: String
  /// The schema file that defines it, the files which that imports, and what else its clients may want to read.
  package let schema: [SchemaText]
  /// Its methods.
  package let methods: [MethodDefinition]

  /// A service of these methods.
  package init(number: UInt8, name: String, schema: [SchemaText], methods: [MethodDefinition]) {
    self.number = number
    self.name = name
    self.schema = schema
    self.methods = methods
  }
  /// The service with one more schema file for its clients to learn: of what it says elsewhere, such as its events.
  package func describing(_ file: SchemaText) -> ServiceDefinition {
    ServiceDefinition(number: number, name: name, schema: schema + [file], methods: methods)
  }
}
