internal import HTTP
internal import Schema
internal import Wire

extension PathTemplate {
  /// The path with the fields of a message in the place of its variables.
  ///
  /// - Throws: ``DecodingError`` when the bytes are not a message of the type with this index.
  func filled(from message: [UInt8], of index: Int, _ schemas: SchemaSet) throws(DecodingError) -> String {
    var path = ""
    for segment in segments {
      path += "/"
      switch segment {
      case .literal(let text): path += text
      case .variable(let name):
        guard let field = schemas.messages[index].field(named: name) else { continue }
        path += PercentEncoding.encodeSegment(try field.text(in: message.span.bytes, schemas))
      }
    }
    return path
  }
}
