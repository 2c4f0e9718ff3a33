extension SchemaComparison {
  func serviceFindings() -> [CompatibilityFinding] {
    old.services.indices.flatMap { index in
      let service = old.services[index]
      guard let current = pairs.services[index].map({ new.services[$0] }) else { return [removed(service)] }
      return serviceFindings(service, current) + methodFindings(service, current)
    }
  }

  private func removed(_ service: ServiceDescriptor) -> CompatibilityFinding {
    finding(
      .serviceRemoved, [.wire, .json, .source], service.fullName, was: old.place(service.file, service.position),
      now: file(like: service.file),
      "the service is gone; calls of it end with UNIMPLEMENTED, so keep it until nobody calls it")
  }

  private func serviceFindings(
    _ service: ServiceDescriptor, _ current: ServiceDescriptor
  ) -> [CompatibilityFinding] {
    var findings: [CompatibilityFinding] = []
    let (was, now) = (
      old.place(service.file, service.position), declaration(current.position, current.file)
    )
    if service.number != current.number {
      findings.append(
        finding(
          .serviceNumberChanged, [.wire], service.fullName, was: was, now: now,
          "the service's number was \(service.number) and is \(current.number) now; frames carry the number, so earlier"
            + " clients call something else or nothing; give it \(service.number) back"))
    }
    if pairs.currentName(service.fullName, service.file) != current.fullName {
      findings.append(
        finding(
          .serviceRenamed, [.json, .source], service.fullName, was: was, now: now,
          "the service is called \(current.fullName) now; callers that name it do not find it any more, so keep the old"
            + " name"))
    }
    return findings
  }

  private func methodFindings(_ service: ServiceDescriptor, _ current: ServiceDescriptor) -> [CompatibilityFinding] {
    let methods = Pairs.methods(service, current)
    return service.methods.indices.flatMap { index in
      let method = service.methods[index]
      guard let place = methods[index] else {
        return [
          finding(
            .methodRemoved, [.wire, .json, .source], method.fullName, was: old.place(service.file, method.position),
            now: declaration(current.position, current.file),
            "the method is gone; calls of it end with UNIMPLEMENTED, so keep it until nobody calls it")
        ]
      }
      let step = MethodStep(
        old: method, new: current.methods[place], was: old.place(service.file, method.position),
        now: [new.place(current.file, current.methods[place].position)] + declaration(current.position, current.file))
      return nameFindings(step) + typeFindings(step) + repetitionFindings(step) + accessFindings(step)
        + routeFindings(step)
    }
  }
}
