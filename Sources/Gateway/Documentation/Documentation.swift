internal import HTTP
internal import JSON
internal import RPC
internal import Schema
internal import Wire

/// The description of the API at `/openapi.json`, that of one service at `/openapi/NAME.json`, and `/docs`, where people
/// read and try it.
// Confined to its gateway's event loop.
package final class Documentation: @unchecked Sendable {
  private let backends: Backends
  private let swaggerUI: SwaggerUI?
  private let asksForTokens: Bool
  private let compressor = GzipCompressor()
  /// The descriptions that were asked for, by the full names of their services; that of everything under none.
  private var descriptions: [String: StoredContent] = [:]
  /// The routes that they describe.
  private var routesVersion = -1

  /// What describes the routes of `backends`.
  ///
  /// - Parameters:
  ///   - swaggerUI: shows the description at `/docs`.
  ///   - asksForTokens: whether callers have to show tokens, which the description says then.
  package init(_ backends: Backends, swaggerUI: SwaggerUI? = nil, asksForTokens: Bool = false) {
    self.backends = backends
    self.swaggerUI = swaggerUI
    self.asksForTokens = asksForTokens
  }

  /// What a path is here; nil when it is nothing.
  func content(at path: ArraySlice<UInt8>) throws(Problem) -> Content? {
    // Every other request costs two looks.
    guard path.count >= 5, path.count <= 256 else { return nil }
    switch path[path.startIndex + 1] {
    case UInt8(ascii: "o") where path.starts(with: "/openapi".utf8):
      return try description(String(decoding: path.dropFirst("/openapi".utf8.count), as: UTF8.self))
    case UInt8(ascii: "d") where path.starts(with: "/docs".utf8):
      return file(String(decoding: path.dropFirst("/docs".utf8.count), as: UTF8.self))
    default: return nil
    }
  }

  /// What is found at a path.
  enum Content {
    case description(StoredContent)
    case ofDocs(StoredContent)
    case routes(RouteTable)
    case redirect(String)

    /// What it is called in figures.
    var name: String { if case .description = self { "/openapi.json" } else { "/docs" } }

    /// The answer to a GET or a HEAD.
    func response(to request: HTTPRequest) -> HTTPResponse {
      switch self {
      case .description(let content), .ofDocs(let content): content.response(to: request.fields)
      case .routes(let table): RoutesPage.response(table)
      case .redirect(let location): HTTPResponse(HTTPStatus(308), fields: [("Location", location)])
      }
    }
  }

  private func file(_ path: String) -> Content? {
    if path == "/" { return .redirect("../docs") }
    guard let swaggerUI else { return path.isEmpty ? .routes(backends.routes) : nil }
    guard path.isEmpty || path.first == "/" else { return nil }
    return swaggerUI.file(String(path.dropFirst())).map { .ofDocs($0) }
  }

  // MARK: Descriptions

  private func description(_ path: String) throws(Problem) -> Content? {
    if path == ".json" { return .description(stored("", operations)) }
    guard path.hasPrefix("/"), path.hasSuffix(".json"), path.count > "/.json".count else { return nil }
    return .description(try description(of: String(path.dropFirst().dropLast(".json".count))))
  }

  /// The description of a service, by its name with the package or without.
  private func description(of name: String) throws(Problem) -> StoredContent {
    let operations = operations
    let service = operations.first { [$0.service.name, $0.service.fullName].contains(name) }?.service
    guard let service else {
      let hint = suggestion(for: name, among: operations.map(\.service.name))
      throw .notFound("There is no service '\(name)' with a route\(hint).")
    }
    return stored(service.fullName, operations.filter { $0.service.fullName == service.fullName })
  }

  private var operations: [APIOperation] {
    backends.routes.routes.map { APIOperation($0.method, by: $0.binding, in: $0.translator.schemas) }
  }

  private func stored(_ name: String, _ operations: @autoclosure () -> [APIOperation]) -> StoredContent {
    if routesVersion != backends.routesVersion {
      descriptions.removeAll()
      routesVersion = backends.routesVersion
    }
    if let known = descriptions[name] { return known }
    var options = OpenAPIDocument.Options(codes: StatusCode.errorNames)
    options.asksForTokens = asksForTokens
    let document = OpenAPIDocument(operations(), options).json.encoded
    let content = StoredContent(type: "application/json", body: document, policy: nil, compressor: compressor)
    descriptions[name] = content
    return content
  }
}
