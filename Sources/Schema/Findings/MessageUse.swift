/// What a message is part of, and so who writes it and who reads it.
struct MessageUse: OptionSet, Sendable {
  let rawValue: UInt8

  /// Clients write it, servers read it and check its marks.
  static let request = MessageUse(rawValue: 1)
  /// Servers write it, clients read it.
  static let response = MessageUse(rawValue: 2)
  /// No method carries it: an event, an error, something stored. Whoever has the schema may write and read it.
  static let elsewhere = MessageUse(rawValue: 4)

  /// Whether readers of an earlier release meet what writers of a later one write. Servers are brought up to date before
  /// their clients, so requests are not among it.
  var isReadByEarlier: Bool { contains(.response) || contains(.elsewhere) }
  /// Whether readers of a later release meet what writers of an earlier one wrote.
  var isWrittenByEarlier: Bool { contains(.request) || contains(.elsewhere) }
}

extension SchemaSet {
  /// The uses of all messages and enums, each by its index.
  func uses() -> (messages: [MessageUse], enums: [MessageUse]) {
    var messages = [MessageUse](repeating: [], count: self.messages.count)
    for method in services.flatMap(\.methods) {
      spread(.request, from: method.request, over: &messages)
      spread(.response, from: method.response, over: &messages)
    }
    for index in messages.indices where messages[index].isEmpty { spread(.elsewhere, from: index, over: &messages) }
    var enums = [MessageUse](repeating: [], count: self.enums.count)
    for (index, message) in self.messages.enumerated() {
      for case .enumeration(let type) in message.fields.map(\.type) { enums[type].formUnion(messages[index]) }
    }
    return (messages, enums.map { $0.isEmpty ? .elsewhere : $0 })
  }

  /// Gives a use to a message and to all that it holds, however deep.
  private func spread(_ use: MessageUse, from start: Int, over uses: inout [MessageUse]) {
    var waiting = [start]
    while let index = waiting.popLast() {
      guard !uses[index].contains(use) else { continue }
      uses[index].insert(use)
      for case .message(let inner) in messages[index].fields.map(\.type) { waiting.append(inner) }
    }
  }
}
