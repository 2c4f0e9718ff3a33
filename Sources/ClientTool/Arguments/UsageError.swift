/// The command line is wrong.
struct UsageError: Error, Equatable, CustomStringConvertible {
  /// What is wrong and what would be right.
  let description: String
  /// What to run for help, such as `gozon call --help`.
  var hint = "gozon --help"

  /// A mistake.
  init(_ description: String) { self.description = description }

  /// The same mistake, with the help of a command.
  func of(_ command: CommandSyntax) -> UsageError {
    var error = self
    error.hint = "gozon \(command.name) --help"
    return error
  }
}
