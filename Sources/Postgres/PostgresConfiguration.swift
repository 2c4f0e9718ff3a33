/// How to reach a database, and the bounds of what is asked of it.
package struct PostgresConfiguration: Sendable {
  /// A connection string of libpq: a `postgresql://` URL, or keywords and values.
  ///
  /// libpq resolves host names without a time limit and on the loop's thread: name servers must be near.
  package var url: String
  /// The name under which the server lists the connections.
  package var applicationName = "gozon"
  /// Connections of a pool.
  package var connectionCount = 4
  /// Requests that may wait for a connection; one more is refused as overloaded.
  package var waitingMax = 4096
  /// How long a request waits for a connection when it brings no deadline.
  package var waitMax = Duration.seconds(5)
  /// How long the first in line may have waited, while there are connections, before more are refused as overloaded.
  package var linePatience = Duration.seconds(1)
  /// How long a database may be away until those who wait for it are told so, and those who come then at once.
  package var outagePatience = Duration.seconds(2)
  /// How long connecting may take, from the first packet to the first answer.
  package var connectMax = Duration.seconds(5)
  /// How long a statement may run: the server's `statement_timeout`; zero for ever.
  package var statementMax = Duration.seconds(10)
  /// How long a transaction may sit between two statements: `idle_in_transaction_session_timeout`; zero for ever.
  package var idleInTransactionMax = Duration.seconds(30)
  /// Whether statements are planned once, whatever their parameters, and by indexes wherever there is one: for programs whose
  /// statements find rows by key, and whose plans must not depend on how much was in the tables when they were made.
  package var plansByIndex = false
  /// The pause before the first attempt to connect again; it doubles with every failure.
  package var reconnectDelayMin = Duration.milliseconds(50)
  /// The longest pause between attempts to connect.
  package var reconnectDelayMax = Duration.seconds(5)

  /// The bounds that suit most, for the database at `url`.
  package init(url: String) { self.url = url }
}
