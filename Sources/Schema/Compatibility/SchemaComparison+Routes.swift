extension SchemaComparison {
  func routeFindings(_ step: MethodStep) -> [CompatibilityFinding] {
    step.old.routes.flatMap { route in
      guard let current = step.new.routes.first(where: { $0.key == route.key }) else { return [gone(route, step)] }
      return variableFindings(route, current, step) + answerFindings(route, current, step)
    }
  }

  private func gone(_ route: HTTPBinding, _ step: MethodStep) -> CompatibilityFinding {
    let owner = new.services.flatMap(\.methods).first { $0.routes.contains { $0.key == route.key } }
    let end = owner.map { "its requests go to \($0.fullName)" } ?? "its requests are answered with 404 or 405"
    return finding(
      .routeRemoved, [.json], step,
      "the route \(route.method.rawValue) \(route.path) is gone, \(end); a method may have several routes, so keep it"
        + " beside the others")
  }

  /// The same URL must fill the same fields.
  private func variableFindings(
    _ route: HTTPBinding, _ current: HTTPBinding, _ step: MethodStep
  ) -> [CompatibilityFinding] {
    let (request, currentRequest) = (old.messages[step.old.request], new.messages[step.new.request])
    return zip(route.path.variables, current.path.variables).compactMap { name, currentName in
      guard request.field(named: name)?.number != currentRequest.field(named: currentName)?.number else { return nil }
      return finding(
        .routeVariableChanged, [.json], step,
        "{\(name)} of \(route.method.rawValue) \(route.path) fills '\(currentName)' now; the same URL means something"
          + " else; add another route")
    }
  }

  private func answerFindings(
    _ route: HTTPBinding, _ current: HTTPBinding, _ step: MethodStep
  ) -> [CompatibilityFinding] {
    let name = "\(route.method.rawValue) \(route.path)"
    var findings: [CompatibilityFinding] = []
    if route.status != current.status {
      findings.append(
        finding(
          .routeStatusChanged, [.json], step,
          "\(name) answered \(route.status) and answers \(current.status) now; clients that compare the status take it"
            + " for a failure; keep \(route.status)"))
    }
    if let location = route.location, location.shape != current.location?.shape {
      findings.append(
        finding(
          .routeLocationChanged, [.json], step,
          "\(name) no longer answers with Location \(location); clients follow it, so keep it"))
    }
    if route.hasETag, !current.hasETag {
      findings.append(
        finding(
          .routeETagRemoved, [.json], step,
          "\(name) answers without ETag now; clients cannot ask any more whether something changed; keep 'etag'"))
    }
    return findings
  }
}

extension HTTPBinding {
  /// What two routes that match the same requests have in common.
  fileprivate var key: String { "\(method.rawValue) \(path.shape)" }
}
