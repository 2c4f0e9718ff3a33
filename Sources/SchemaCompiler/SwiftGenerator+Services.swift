import Schema

extension SwiftGenerator {
  func write(_ service: ServiceDescriptor, to writer: inout SwiftWriter) {
    writeProtocol(of: service, to: &writer)
    writeDefinition(of: service, to: &writer)
    writeClient(of: service, to: &writer)
    writeMethods(of: service, to: &writer)
  }

  private func writeProtocol(of service: ServiceDescriptor, to writer: inout SwiftWriter) {
    writer.docs(service.docs)
    writer.block("package protocol \(service.name)Service: Sendable") { writer in
      for method in service.methods {
        writer.docs(method.docs)
        writer.line("func \(method.swiftName.escaped)(")
        writer.line("  \(handlerParameters(of: method)), context: CallContext")
        writer.line(") async throws\(method.responseIsStream ? "" : " -> \(types(of: method).response)")")
      }
    }
  }

  private func handlerParameters(of method: MethodDescriptor) -> String {
    let (request, response) = types(of: method)
    let requests = method.requestIsStream ? "_ requests: RequestStream<\(request)>" : "_ request: \(request)"
    return method.responseIsStream ? "\(requests), responses: ResponseWriter<\(response)>" : requests
  }

  private func writeDefinition(of service: ServiceDescriptor, to writer: inout SwiftWriter) {
    let files = schemas.withImports(service.file).map { "\(schemas.files[$0].schemaName).file" }
    writer.block("extension \(service.name)Service") { writer in
      writer.docs("What a server needs to offer this service.")
      writer.block("package var definition: ServiceDefinition") { writer in
        writer.line("ServiceDefinition(")
        writer.line("  number: \(service.number), name: \"\(service.fullName)\",")
        writer.line("  schema: [\(files.joined(separator: ", "))],")
        writer.line("  methods: [")
        for method in service.methods { writeHandler(of: method, to: &writer) }
        writer.line("  ])")
      }
    }
  }

  /// Writes out what a generic function would do for any method: so the optimizer sees one async function around the
  /// handler, where it would leave a chain of closures.
  private func writeHandler(of method: MethodDescriptor, to writer: inout SwiftWriter) {
    let (request, response) = types(of: method)
    let properties =
      "number: \(method.number), name: \"\(method.name)\", isIdempotent: \(method.isIdempotent),"
      + " access: .\(method.access.swiftName)"
    writer.line("    MethodDefinition(")
    writer.line("      \(properties)\(shape(of: method))")
    writer.line("    ) { payload, context in")
    if method.requestIsStream {
      writer.line("      let requests = context.requests(of: \(request).self)")
    } else {
      writer.line("      guard let request = context.request(payload, as: \(request).self) else { return }")
    }
    if let owner = ownerField(of: method) {
      writer.line("      guard context.admits(owner: request.\(owner.name.escaped)) else { return }")
    }
    if method.responseIsStream {
      writer.line("      let responses = context.responses(of: \(response).self)")
    }
    if !method.isUnary { writer.line("      context.streamsMade()") }
    writer.line("      let task = Task.immediate(executorPreference: context.executor) {")
    writer.line("        do {")
    let arguments =
      (method.requestIsStream ? "requests" : "request") + (method.responseIsStream ? ", responses: responses" : "")
    let call = "try await \(method.swiftName.escaped)(\(arguments), context: context)"
    if method.responseIsStream {
      writer.line("          \(call)")
      writer.line("          context.finish()")
    } else {
      writer.line("          context.finish(\(call))")
    }
    writer.line("        } catch {")
    writer.line("          context.finish(throwing: error)")
    writer.line("        }")
    writer.line("      }")
    writer.line("      context.started(task)")
    writer.line("    },")
  }

  /// The field of the request that names whose the call is.
  private func ownerField(of method: MethodDescriptor) -> FieldDescriptor? {
    guard case .owner(let number)? = method.access else { return nil }
    return schemas.messages[method.request].fields.first { $0.number == number }
  }

  /// The arguments that say which parts of a method are streams; none for a unary one.
  private func shape(of method: MethodDescriptor) -> String {
    method.isUnary
      ? "" : ", requestIsStream: \(method.requestIsStream), responseIsStream: \(method.responseIsStream)"
  }

  private func writeClient(of service: ServiceDescriptor, to writer: inout SwiftWriter) {
    writer.docs("Calls \(service.fullName). \(service.docs)")
    writer.block("package struct \(service.name)Client: Sendable") { writer in
      writer.docs("What carries the calls.")
      writer.line("package let channel: any CallChannel")
      writer.line()
      writer.docs("A client over this channel.")
      writer.line("package init(_ channel: any CallChannel) { self.channel = channel }")
      for method in service.methods {
        writer.line()
        writer.docs(method.docs)
        if method.isUnary {
          writeUnaryCall(of: method, service, to: &writer)
        } else {
          writeStreamingCall(of: method, service, to: &writer)
        }
      }
    }
  }

  private func writeUnaryCall(of method: MethodDescriptor, _ service: ServiceDescriptor, to writer: inout SwiftWriter) {
    let (request, response) = types(of: method)
    writer.line("package func \(method.swiftName.escaped)(")
    writer.line("  _ request: \(request), options: CallOptions = CallOptions()")
    writer.block(") async throws -> \(response)") { writer in
      writer.line("try await channel.unary(\(service.name)Methods.\(method.swiftName), request, options)")
    }
  }

  private func writeStreamingCall(
    of method: MethodDescriptor, _ service: ServiceDescriptor, to writer: inout SwiftWriter
  ) {
    let (request, response) = types(of: method)
    let parameter = method.requestIsStream ? "" : "_ request: \(request), "
    writer.line("package func \(method.swiftName.escaped)(")
    writer.line("  \(parameter)options: CallOptions = .streaming")
    writer.block(") -> StreamingCall<\(request), \(response)>") { writer in
      let argument = method.requestIsStream ? "nil" : "request"
      writer.line("channel.stream(\(service.name)Methods.\(method.swiftName), \(argument), options)")
    }
  }

  private func writeMethods(of service: ServiceDescriptor, to writer: inout SwiftWriter) {
    writer.docs("The methods of \(service.fullName).")
    writer.block("package enum \(service.name)Methods") { writer in
      for method in service.methods {
        let (request, response) = types(of: method)
        writer.docs(method.docs)
        writer.line("package static let \(method.swiftName.escaped) = MethodReference<\(request), \(response)>(")
        writer.line("  id: \(service.number) << 8 | \(method.number), name: \"\(method.fullName)\",")
        let takesKey = method.takesIdempotencyKey ? ", takesIdempotencyKey: true" : ""
        writer.line("  isIdempotent: \(method.isIdempotent)\(takesKey)\(shape(of: method)))")
      }
    }
  }

  private func types(of method: MethodDescriptor) -> (request: String, response: String) {
    (schemas.messages[method.request].name, schemas.messages[method.response].name)
  }
}

extension SchemaSet {
  /// A file and everything it imports, directly or not.
  fileprivate func withImports(_ file: Int) -> [Int] {
    var result: [Int] = []
    var waiting = [file]
    while let next = waiting.popLast() {
      guard !result.contains(next) else { continue }
      result.append(next)
      waiting += files[next].imports.compactMap { name in files.firstIndex { $0.name == name } }
    }
    return result
  }
}

extension AccessRule? {
  /// The case of `MethodAccess` in the generated code.
  fileprivate var swiftName: String {
    switch self {
    case .anyone: "anyone"
    case .owner: "owner"
    case .object: "object"
    case .operators, nil: "operators"
    }
  }
}
