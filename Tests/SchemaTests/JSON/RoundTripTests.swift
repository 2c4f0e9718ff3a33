import Schema
import Testing
import Wire

/// Random messages of random schemas go from JSON to bytes and come back.
@Suite("JSON round trip")
struct RoundTripTests {
  @Test(arguments: 1...25 as ClosedRange<UInt64>)
  func `JSON comes back in the fields' order, whatever order it came in`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let schemas = try SchemaSet.parse([("r.gozon", RandomSchema.source(&random))])
    let translator = JSONTranslator(schemas)
    for _ in 0..<6 {
      var example = RandomMessage(schemas: schemas, random: random)
      let (tidy, untidy) = example.object(of: 0, depth: 0)
      random = example.random
      let message = try bytes(untidy, translator)
      #expect(String(decoding: try translator.json(message, of: 0), as: UTF8.self) == tidy, "seed \(seed)")
      #expect(try bytes(tidy, translator) == message)
      #expect(try bytes(indented(tidy), translator) == message)
      for _ in 0..<5 {
        let cut = Array(message[..<Int.random(in: 0..<message.count, using: &random)])
        // A cut that leaves a message may lose absent things only.
        if let json = try? translator.json(cut, of: 0) { #expect(json.count <= tidy.utf8.count) }
      }
    }
  }

  private func bytes(_ json: String, _ translator: JSONTranslator) throws -> [UInt8] {
    var builder = translator.builder(of: 0)
    builder.merge(json: Array(json.utf8))
    return try builder.encode()
  }

  private func indented(_ json: String) -> String {
    String(decoding: JSONLayout.indented(Array(json.utf8)), as: UTF8.self)
  }
}

/// Makes up schemas.
private enum RandomSchema {
  static func source(_ random: inout SeededGenerator) -> String {
    var source = "/// R.\npackage r\n/// E.\nenum E {\n/// A.\nA = 3\n/// B.\nB_C = 0\n}\n"
    let count = Int.random(in: 1...4, using: &random)
    for message in 0..<count {
      source += "/// M.\nmessage M\(message) {\n"
      for number in 1...Int.random(in: 1...12, using: &random) {
        source += "/// F.\nf\(number): \(type(message, count, &random)) = \(number)\n"
      }
      source += "}\n"
    }
    return source
  }

  private static func type(_ message: Int, _ count: Int, _ random: inout SeededGenerator) -> String {
    var types = ["bool", "int32", "int64", "uint32", "uint64", "float64", "string", "bytes", "uuid", "timestamp", "E"]
    if message + 1 < count { types += (message + 1..<count).map { "M\($0)" } }
    let type = types.randomElement(using: &random)!
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return "\(type)?"
    case 1: return "list<\(type)>"
    case 2: return "list<M\(Int.random(in: 0..<count, using: &random))>"
    default: return type
    }
  }
}

/// Makes up messages as JSON, once as a translator would write it and once in another order with more space.
private struct RandomMessage {
  let schemas: SchemaSet
  var random: SeededGenerator

  mutating func object(of index: Int, depth: Int) -> (tidy: String, untidy: String) {
    var tidy: [String] = []
    var untidy: [String] = []
    for field in schemas.messages[index].fields {
      var values: [(tidy: String, untidy: String)] = []
      switch field.cardinality {
      case .one: values = [value(field.type, depth)]
      case .optional:
        guard Bool.random(using: &random) else {
          if Bool.random(using: &random) { untidy.append("\"\(field.name)\":null") }
          continue
        }
        values = [value(field.type, depth)]
      case .list:
        let count = depth > 2 ? 0 : Int.random(in: 0...3, using: &random)
        for _ in 0..<count { values.append(value(field.type, depth)) }
        if count == 0, Bool.random(using: &random) {
          tidy.append("\"\(field.name)\":[]")
          continue
        }
      }
      let (open, close) = field.cardinality == .list ? ("[", "]") : ("", "")
      tidy.append("\"\(field.name)\":\(open)\(values.map(\.tidy).joined(separator: ","))\(close)")
      untidy.append("\"\(field.name)\"\(space):\(open)\(values.map(\.untidy).joined(separator: " ,\n"))\(close)")
    }
    untidy.shuffle(using: &random)
    return ("{\(tidy.joined(separator: ","))}", "\(space){\(untidy.joined(separator: "\(space),"))\(space)}\(space)")
  }

  private var space: String {
    mutating get { [" ", "\n", "\t", "", "\r\n "].randomElement(using: &random)! }
  }

  private mutating func value(_ type: FieldType, _ depth: Int) -> (tidy: String, untidy: String) {
    if case .message(let index) = type { return object(of: index, depth: depth + 1) }
    let value: String =
      switch type {
      case .bool: Bool.random(using: &random) ? "true" : "false"
      case .int32: "\(Int32(truncatingIfNeeded: number))"
      case .int64: "\(Int64(bitPattern: number))"
      case .uint32: "\(UInt32(truncatingIfNeeded: number))"
      case .uint64: "\(number)"
      case .float64: "\(Double.random(in: -1e9...1e9, using: &random))"
      case .string: "\"\(["", "a", "жж", "\\\"", "\\n\\u0001", "\u{1F600}x"].randomElement(using: &random)!)\""
      case .bytes: "\"\(["", "AA==", "AAE=", "AAEC", "+/+/"].randomElement(using: &random)!)\""
      case .uuid: "\"\(UUID(high: number, low: number))\""
      case .timestamp: "\"\(Timestamp(microseconds: Int64(truncatingIfNeeded: number % 4_000_000_000_000_000)))\""
      default: Bool.random(using: &random) ? "\"A\"" : "\"B_C\""
      }
    return (value, value)
  }

  /// Numbers of all sizes.
  private var number: UInt64 {
    mutating get { random.next() >> UInt64.random(in: 0..<64, using: &random) }
  }
}
