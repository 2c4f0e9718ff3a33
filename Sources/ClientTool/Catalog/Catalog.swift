internal import RPC
internal import Schema
internal import Service

/// What all reachable servers offer, found by name.
struct Catalog: Sendable {
  /// The servers that answered.
  let servers: [ReflectedServer]
  /// Why the others did not.
  let failures: [RPCError]

  /// A method and who answers it.
  struct Method: Sendable {
    let server: ReflectedServer
    let service: ServiceDescriptor
    let descriptor: MethodDescriptor
    /// Where it is called: at every server that answers for its service, or else at the one that has it as all do.
    let addresses: [Address]

    /// Whether a call beside which `metadata` travels may be made again when it is not known what became of it.
    func isRepeatable(_ metadata: Metadata) -> Bool {
      descriptor.isIdempotent || descriptor.takesIdempotencyKey && metadata["idempotency-key"] != nil
    }
  }

  /// A name's meaning; the schemas are those that explain it.
  struct Entry: Sendable {
    enum Kind: Sendable {
      case service(ServiceDescriptor)
      case method(ServiceDescriptor, MethodDescriptor)
      case message(MessageDescriptor)
      case enumeration(EnumDescriptor)
    }

    let kind: Kind
    let schemas: SchemaSet
    /// With the package, its parts separated by dots.
    let fullName: String
  }

  /// The method called `Orders.CreateOrder`, with or without its package, the last dot also written as a slash.
  ///
  /// - Throws: ``RPCError`` UNIMPLEMENTED when nobody offers it; the failures of unreachable servers when there are any.
  func method(named name: String) throws(RPCError) -> Method {
    let wanted = Self.normalised(name)
    var found: [Method] = []
    for server in servers {
      for service in server.schemas.services {
        for method in service.methods where Self.matches(Self.name(service, method), wanted, partsMin: 2) {
          let offering = servers.filter { $0.services.contains(service.fullName) }.map(\.address)
          found.append(
            Method(
              server: server, service: service, descriptor: method,
              addresses: offering.isEmpty ? [server.address] : offering))
        }
      }
    }
    let names = Set(found.map { $0.descriptor.fullName })
    if names.count > 1 {
      throw RPCError(.invalidArgument, "'\(name)' may be \(names.sorted().joined(separator: " or ")); say which")
    }
    if let method = found.first { return method }
    if let failure = failures.first { throw failure }
    let known = servers.flatMap { server in
      server.schemas.services.flatMap { service in service.methods.map { "\(service.name).\($0.name)" } }
    }
    throw RPCError(
      .unimplemented,
      "no server offers a method '\(name)'" + hint(name, known, otherwise: "; gozon list names them all"))
  }

  /// Everything called `name`, with or without its package.
  ///
  /// - Throws: ``RPCError`` NOT_FOUND when there is nothing; the failures of unreachable servers when there are any.
  func entries(named name: String) throws(RPCError) -> [Entry] {
    let wanted = Self.normalised(name)
    var found: [Entry] = []
    for entry in servers.flatMap({ Self.entries(of: $0.schemas) }) where Self.matches(entry.fullName, wanted) {
      if !found.contains(where: { $0.fullName == entry.fullName }) { found.append(entry) }
    }
    if !found.isEmpty { return found }
    if let failure = failures.first { throw failure }
    let known = servers.flatMap { Self.entries(of: $0.schemas).flatMap(\.names) }
    throw RPCError(
      .notFound, "nothing is called '\(name)'" + hint(name, known, otherwise: "; gozon list names the methods"))
  }

  private func hint(_ name: String, _ known: [String], otherwise: String) -> String {
    let suggestion = suggestion(for: name, among: known)
    return suggestion.isEmpty ? otherwise : suggestion
  }

  /// The message of this full name, and the schemas that explain it.
  func message(named fullName: String) -> (index: Int, schemas: SchemaSet)? {
    for schemas in servers.map(\.schemas) {
      if let index = schemas.messages.firstIndex(where: { $0.fullName == fullName }) { return (index, schemas) }
    }
    return nil
  }

  // MARK: Names

  private static func entries(of schemas: SchemaSet) -> [Entry] {
    func entry(_ kind: Entry.Kind, _ fullName: String) -> Entry {
      Entry(kind: kind, schemas: schemas, fullName: fullName)
    }
    return schemas.services.map { entry(.service($0), $0.fullName) }
      + schemas.services.flatMap { service in
        service.methods.map { entry(.method(service, $0), name(service, $0)) }
      }
      + schemas.messages.map { entry(.message($0), $0.fullName) }
      + schemas.enums.map { entry(.enumeration($0), $0.fullName) }
  }

  private static func name(_ service: ServiceDescriptor, _ method: MethodDescriptor) -> String {
    "\(service.fullName).\(method.name)"
  }

  private static func normalised(_ name: String) -> String {
    String(name.map { $0 == "/" ? "." : $0 })
  }

  /// Whether `wanted` is `fullName`, or its last parts.
  private static func matches(_ fullName: String, _ wanted: String, partsMin: Int = 1) -> Bool {
    guard wanted.split(separator: ".").count >= partsMin else { return false }
    return fullName == wanted || fullName.hasSuffix(".\(wanted)")
  }
}

extension Catalog.Entry {
  /// The ways to write it, shortest last.
  fileprivate var names: [String] {
    switch kind {
    case .service(let service): [fullName, service.name]
    case .method(let service, let method): [fullName, "\(service.name).\(method.name)"]
    case .message(let message): [fullName, message.name]
    case .enumeration(let type): [fullName, type.name]
    }
  }
}
