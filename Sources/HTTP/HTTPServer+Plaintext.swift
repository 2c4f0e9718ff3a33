/// Clients that speak to a port of TLS without it.
extension HTTPServer {
  /// What is said to a client whose first bytes are no TLS: which mistake it made, if it speaks HTTP; otherwise nothing.
  func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] {
    guard bytes.byteCount > 0, bytes.byte(at: 0).isASCIILetter else { return [] }
    let refusal = HTTPRefusal(.badRequest, "This port speaks HTTPS: write https:// instead of http://.")
    var answer: [UInt8] = []
    let context = ResponseEncoder.Context(isHead: false, isVersion10: false, keepsAlive: false)
    encode(refuse(refusal), context, to: &answer)
    return answer
  }
}
