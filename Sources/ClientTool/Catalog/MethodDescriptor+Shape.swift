internal import Schema

extension MethodDescriptor {
  /// How the protocol calls its shape.
  var shape: String {
    switch (requestIsStream, responseIsStream) {
    case (false, false): "unary"
    case (false, true): "server streaming"
    case (true, false): "client streaming"
    case (true, true): "bidirectional streaming"
    }
  }

  /// What a table shows as its request: `Piece`, or `stream Piece`.
  func requestName(in schemas: SchemaSet) -> String {
    (requestIsStream ? "stream " : "") + schemas.messages[request].name
  }

  /// What a table shows as its response.
  func responseName(in schemas: SchemaSet) -> String {
    (responseIsStream ? "stream " : "") + schemas.messages[response].name
  }
}
