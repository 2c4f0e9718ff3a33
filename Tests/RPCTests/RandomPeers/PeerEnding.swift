import API
import TestSupport
import Wire

@testable import RPC

/// How a random peer ends.
enum PeerEnding: CaseIterable {
  /// Everything is answered, and the peer goes.
  case answered
  /// The peer goes in the middle, of a frame often.
  case cut
  /// It breaks the protocol.
  case violation
  /// It says what is no frame.
  case junk
  /// It begins more calls than it may, and does not wait for them.
  case flood
  /// It begins and cancels as many.
  case rapidReset
}

extension RandomPeer {
  /// Says something that no peer may say.
  func violate() {
    let payload = random.bytes(3)
    let nothing = lastStream + 1
    let violations: [() -> Void] = [
      { self.say(FrameHeader(kind: .hello), payload) },
      { self.say(FrameHeader(kind: .response, stream: 1), payload) },
      { self.say(FrameHeader(kind: .request, stream: self.lastStream, value: 9)) },
      { self.say(FrameHeader(kind: .cancel, stream: nothing)) },
      { self.say(FrameHeader(kind: .end, stream: nothing)) },
      { self.say(FrameHeader(kind: .message, stream: nothing), payload) },
      { self.say(FrameHeader(kind: .message), payload) },
      { self.say(FrameHeader(kind: .credit, stream: nothing, value: 1)) },
      { self.say(FrameHeader(kind: .credit)) },
      { self.say(FrameHeader(kind: .credit, value: .max)) },
      { self.say(sealed(kind: 77, length: 0)) },
      { self.say(sealed(kind: FrameKind.request.rawValue, length: 1 << 30)) },
      { self.say(sealed(kind: FrameKind.request.rawValue, length: 3, payloadChecksum: 1) + payload) },
      { self.say(FrameHeader(kind: .ping), payload) },
      {
        // A message to a call that is open, and has no stream.
        self.say(
          FrameHeader(kind: .request, stream: nothing, code: ProbeMethods.ask.id, value: 60_000),
          AskRequest(delayMilliseconds: 60_000).encoded())
        self.say(FrameHeader(kind: .message, stream: nothing), payload)
      },
    ]
    violations.randomElement(using: &random)?()
    // Whatever comes behind it is not looked at.
    say(FrameHeader(kind: .request, stream: nothing + 9, code: ProbeMethods.ask.id, value: 9_000))
  }

  /// Begins calls that hang, far more than it may; cancels each at once or none.
  func flood(cancels: Bool) {
    for offset in 1...(4 * UInt32(ProbeLimits.streamsMax)) {
      say(
        FrameHeader(kind: .request, stream: lastStream + offset, code: ProbeMethods.ask.id, value: 60_000),
        AskRequest(delayMilliseconds: 60_000).encoded())
      if cancels { say(FrameHeader(kind: .cancel, stream: lastStream + offset)) }
    }
  }
}
