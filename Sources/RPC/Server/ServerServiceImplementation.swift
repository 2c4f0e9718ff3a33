/// Health and reflection: what every server answers besides its own services.
struct ServerServiceImplementation: ServerService {
  let server: String
  let services: [ServiceDefinition]
  let health: @Sendable () -> [DependencyHealth]

  func checkHealth(_ request: CheckHealthRequest, context: CallContext) async throws -> CheckHealthResponse {
    let dependencies = health()
    let isServing = dependencies.allSatisfy { $0.status == .serving }
    return CheckHealthResponse(status: isServing ? .serving : .notServing, dependencies: dependencies)
  }

  func reflect(_ request: ReflectRequest, context: CallContext) async throws -> ReflectResponse {
    var files: [SchemaFile] = []
    for text in services.flatMap(\.schema) where !files.contains(where: { $0.name == text.name }) {
      files.append(SchemaFile(name: text.name, source: text.source))
    }
    return ReflectResponse(server: server, services: services.map(\.name), files: files)
  }
}
