internal import Schema

/// Names to choose from.
extension Catalog {
  /// The methods: `Orders.CreateOrder`, or with their package.
  func methodCandidates(isQualified: Bool) -> [Completer.Candidate] {
    unique(
      servers.flatMap { server in
        server.schemas.services.flatMap { service in
          service.methods.map {
            Completer.Candidate(
              word: "\(isQualified ? service.fullName : service.name).\($0.name)", explanation: $0.docs)
          }
        }
      })
  }

  /// Everything that has a name.
  func nameCandidates(isQualified: Bool) -> [Completer.Candidate] {
    func candidate(_ name: String, _ fullName: String, _ docs: String) -> Completer.Candidate {
      Completer.Candidate(word: isQualified ? fullName : name, explanation: docs)
    }
    let types = servers.flatMap { server in
      server.schemas.services.map { candidate($0.name, $0.fullName, $0.docs) }
        + server.schemas.messages.map { candidate($0.name, $0.fullName, $0.docs) }
        + server.schemas.enums.map { candidate($0.name, $0.fullName, $0.docs) }
    }
    return unique(methodCandidates(isQualified: isQualified) + types)
  }

  /// In the order of the alphabet, each word once.
  private func unique(_ candidates: [Completer.Candidate]) -> [Completer.Candidate] {
    Dictionary(candidates.map { ($0.word, $0) }) { first, _ in first }.values.sorted { $0.word < $1.word }
  }
}
