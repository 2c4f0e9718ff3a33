extension Checker {
  /// The rule of a mark such as `@access(owner: userId)`.
  mutating func checkAccess(_ mark: MarkSyntax, of method: MethodSyntax, request: MessageDescriptor, in file: Int)
    -> AccessRule?
  {
    let argument = mark.arguments.first
    switch (mark.arguments.count, argument?.label, argument?.value) {
    case (1, nil, .word("anyone")): return .anyone
    case (1, nil, .word("operator")): return .operators
    case (1, nil, .word("object")):
      if !method.request.isStream { return .object }
      report(
        "who may send a stream of requests is known before its first; it has no object", in: file,
        at: mark.name.position)
      return nil
    case (1, "owner", .word(let name)):
      return checkOwner(name, of: method, request, in: file, at: argument?.position ?? mark.name.position)
    default:
      report(
        "write who may call as @access(anyone), @access(operator), @access(object) or @access(owner: userId)", in: file,
        at: mark.name.position)
      return nil
    }
  }

  private mutating func checkOwner(
    _ name: String, of method: MethodSyntax, _ request: MessageDescriptor, in file: Int, at position: SourcePosition
  ) -> AccessRule? {
    guard let field = request.field(named: name) else {
      let hint = suggestion(for: name, among: request.fields.map(\.name))
      report("\(request.name) has no field '\(name)'" + hint, in: file, at: position)
      return nil
    }
    if method.request.isStream {
      report("who may send a stream of requests is known before its first; it has no owner", in: file, at: position)
    } else if field.type != .uuid || field.cardinality == .list {
      report("an owner is one uuid; '\(name)' of \(request.name) is none", in: file, at: position)
    } else {
      return .owner(field: field.number)
    }
    return nil
  }
}
