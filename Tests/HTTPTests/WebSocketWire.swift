/// Frames of WebSocket made by hand (RFC 6455 section 5.2), the wrong ones included.
enum WebSocketWire {
  static let text: UInt8 = 1
  static let binary: UInt8 = 2
  static let close: UInt8 = 8
  static let ping: UInt8 = 9
  static let pong: UInt8 = 10

  /// A frame of a client; without a mask it is a wrong one.
  static func frame(
    _ opcode: UInt8, _ payload: [UInt8] = [], isLast: Bool = true, reserved: UInt8 = 0, isMasked: Bool = true
  ) -> [UInt8] {
    let mask: [UInt8] = [1, 2, 3, 4]
    var bytes = [(isLast ? 0x80 : 0) | reserved | opcode]
    let masked: UInt8 = isMasked ? 0x80 : 0
    switch payload.count {
    case ..<126: bytes.append(masked | UInt8(payload.count))
    case ..<65_536: bytes += [masked | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    default: bytes += [masked | 127] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 255) }
    }
    if isMasked { bytes += mask + payload.enumerated().map { $1 ^ mask[$0 % 4] } } else { bytes += payload }
    return bytes
  }

  static func frame(_ text: String) -> [UInt8] { frame(Self.text, Array(text.utf8)) }

  static func closing(_ code: UInt16, _ reason: String = "") -> [UInt8] {
    frame(close, [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8))
  }

  /// The frames of a server in `bytes`, such as `1:hello`; a close frame as `8:1000`.
  static func read(_ bytes: [UInt8]) -> [String] {
    var (frames, rest): ([String], ArraySlice<UInt8>) = ([], bytes[...])
    while rest.count >= 2 {
      let opcode = rest.removeFirst() & 0x0F
      var count = Int(rest.removeFirst())
      if count >= 126 {
        let width = count == 126 ? 2 : 8
        count = rest.prefix(width).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(width)
      }
      guard rest.count >= count else { break }
      let payload = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      let said =
        opcode == close && count >= 2
        ? "\(Int(payload[0]) << 8 | Int(payload[1]))" + String(decoding: payload.dropFirst(2), as: UTF8.self)
        : String(decoding: payload, as: UTF8.self)
      frames.append("\(opcode):\(said)")
    }
    return frames
  }
}
