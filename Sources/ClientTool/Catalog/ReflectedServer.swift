internal import RPC
internal import Schema
internal import Service

/// A server and what it says of itself.
struct ReflectedServer: Sendable {
  let address: Address
  /// The program, such as `gozon-orders`.
  let name: String
  /// The full names of the services that it answers for.
  let services: [String]
  /// Everything that it speaks of, health and reflection included.
  let schemas: SchemaSet

  /// A server as its reflection describes it.
  ///
  /// - Throws: ``RPCError`` DATA_LOSS when it hands out schemas that cannot be read.
  init(address: Address, _ reflection: ReflectResponse) throws(RPCError) {
    self.address = address
    name = reflection.server
    services = reflection.services
    var files = reflection.files.map { (name: $0.name, source: $0.source) }
    let ownFile = RpcSchema.file
    if !files.contains(where: { $0.name == ownFile.name }) { files.append((ownFile.name, ownFile.source)) }
    do throws(SchemaErrors) {
      schemas = try SchemaSet.parse(files)
    } catch {
      throw RPCError(.dataLoss, "\(name) at \(address) hands out schemas that cannot be read: \(error)")
    }
  }

  /// The descriptors of the services that it answers for.
  var offered: [ServiceDescriptor] { schemas.services.filter { services.contains($0.fullName) } }
}
