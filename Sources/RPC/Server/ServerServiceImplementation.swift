internal import EventLoop
internal import Wire

/// Health, reflection and inspection: what every server answers besides its own services.
struct ServerServiceImplementation: ServerService {
  /// How often health is looked at for those who watch it.
  private static let watchInterval: Duration = .milliseconds(250)

  let server: String
  let services: [ServiceDefinition]
  let health: @Sendable () -> ServerHealth
  let isDraining: @Sendable () -> Bool
  let inspect: @Sendable () -> InspectResponse

  func checkHealth(_ request: CheckHealthRequest, context: CallContext) async throws -> CheckHealthResponse {
    present
  }

  func watchHealth(
    _ request: WatchHealthRequest, responses: ResponseWriter<CheckHealthResponse>, context: CallContext
  ) async throws {
    var last: CheckHealthResponse?
    while true {
      let present = present
      if present != last { try await responses.send(present) }
      last = present
      if isDraining() { return }
      try await context.loop.sleep(for: Self.watchInterval)
    }
  }

  func reflect(_ request: ReflectRequest, context: CallContext) async throws -> ReflectResponse {
    var files: [SchemaFile] = []
    for text in services.flatMap(\.schema) + [RpcSchema.file] where !files.contains(where: { $0.name == text.name }) {
      files.append(SchemaFile(name: text.name, source: text.source))
    }
    return ReflectResponse(server: server, services: services.map(\.name), files: files)
  }

  func inspect(_ request: InspectRequest, context: CallContext) async throws -> InspectResponse { inspect() }

  private var present: CheckHealthResponse {
    var health = health()
    if isDraining() {
      health.isServing = false
      health.dependencies.append(
        DependencyHealth(name: "server", status: .notServing, reason: "the server is shutting down"))
    }
    return CheckHealthResponse(
      status: health.isServing ? .serving : .notServing, dependencies: health.dependencies)
  }
}
