internal import RPC

/// What the tool tells the shell. Scripts rely on the numbers: this is the one place that gives them, and they stay.
struct ExitStatus: RawRepresentable, Equatable, Sendable {
  let rawValue: Int32

  /// All is well.
  static let ok = ExitStatus(rawValue: 0)
  /// What was asked about is not well.
  static let notWell = ExitStatus(rawValue: 1)
  /// The command line is wrong.
  static let usage = ExitStatus(rawValue: 2)
  /// The command was interrupted.
  static let interrupted = ExitStatus(.cancelled)

  /// The status of a call: 64 + its code, 0 for OK.
  init(_ code: StatusCode) { rawValue = code == .ok ? 0 : 64 + Int32(code.rawValue) }

  init(rawValue: Int32) { self.rawValue = rawValue }

  /// All of them, for people: `gozon help exit-status`.
  static var help: String {
    var table = TextTable([("STATUS", .right), ("NAME", .left), ("MEANING", .left)])
    table.append("\(ok.rawValue)", "OK", "all is well")
    table.append("\(notWell.rawValue)", "", "what was asked about is not well, or nobody reads the output any more")
    table.append("\(usage.rawValue)", "", "the command line is wrong; nothing was done")
    for code in (UInt16(1)...16).compactMap(StatusCode.init(rawValue:)) {
      table.append("\(ExitStatus(code).rawValue)", code.name, meaning(of: code))
    }
    return """
      The exit status says how a command ended. A call that fails, or anything else that goes wrong on the way to a server,
      gives 64 + the number of its status in gozon.rpc.StatusCode. The numbers do not change.

      \(table.text)
      """
  }

  private static func meaning(of code: StatusCode) -> String {
    switch code {
    case .ok: ""
    case .cancelled: "interrupted by Ctrl-C, or cancelled by the server"
    case .unknown: "the server failed without saying how"
    case .invalidArgument: "the request is wrong whatever the state of the system"
    case .deadlineExceeded: "the time-out passed; the effect may or may not have happened"
    case .notFound: "what was asked for does not exist"
    case .alreadyExists: "what was to be created exists already, and differs"
    case .permissionDenied: "the caller is known and may not do this"
    case .resourceExhausted: "a limit is reached; try again later"
    case .failedPrecondition: "the system is not in a state that allows this"
    case .aborted: "a conflict with another call; read again, then write again"
    case .outOfRange: "past the end of a range"
    case .unimplemented: "no server has this method"
    case .internal: "the server broke a promise of its own"
    case .unavailable: "no server answers just now; try again"
    case .dataLoss: "stored data is lost or damaged"
    case .unauthenticated: "the caller is not known"
    }
  }
}
