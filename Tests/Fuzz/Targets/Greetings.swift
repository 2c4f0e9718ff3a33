@testable import RPC

/// Metadata and hellos: what is read is within the bounds, and written again reads as the same.
///
/// The first byte chooses: even for metadata, odd for the payload of a hello.
@Sendable func fuzzGreetings(_ input: [UInt8]) {
  guard let kind = input.first else { return }
  let bytes = Array(input.dropFirst())
  if kind.isMultiple(of: 2) { checkMetadata(bytes) } else { checkHello(bytes) }
}

private func checkMetadata(_ bytes: [UInt8]) {
  guard let (metadata, size) = Metadata.decode(bytes.span.bytes) else { return }
  precondition(metadata.fits, "metadata was read that may not be written")
  if let trace = metadata.traceparent {
    precondition((["traceparent": trace] as Metadata).traceparent == trace, "a trace goes on otherwise than it came")
  }
  var written: [UInt8] = []
  metadata.append(to: &written)
  precondition(written == Array(bytes.prefix(size)), "metadata is written otherwise than it was read")
}

private func checkHello(_ bytes: [UInt8]) {
  guard let hello = Hello.decode(bytes.span.bytes) else { return }
  precondition(max(hello.callWindow, hello.connectionWindow) <= FlowControl.creditMax)
  var frame: [UInt8] = []
  hello.append(to: &frame)
  let payload = Array(frame.dropFirst(FrameHeader.size))
  precondition(payload == Array(bytes.prefix(payload.count)), "a hello is written otherwise than it was read")
  precondition(Hello.decode(payload.span.bytes) == hello)
  precondition(!hello.isCompatible(with: hello) || hello.versionMin <= hello.versionMax)
}
