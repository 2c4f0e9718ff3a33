package import EventLoop

/// The steps that bring a database's schema up to date: files `NNNN_name.sql`, numbered from 0001 without gaps.
///
/// They only go forward. Each runs in a transaction of its own and is recorded in the table `schema_migrations` with its
/// SHA-256, so it must never change once it is released. A database that is ahead of the files is left as it is: newer
/// replicas have been there first.
package struct Migrations: Sendable {
  struct File: Equatable {
    let version: Int32
    let name: String
    let text: String
  }

  /// Files in a directory, and bytes of a file, at most.
  static let filesMax = 9999
  static let bytesMax = 1 << 20
  /// The advisory lock that migrators of one database queue for; any number that nothing else locks.
  private static let lock: Int64 = 0x676f_7a6f_6e00

  private static let lockInterval: Duration = .milliseconds(100)

  let files: [File]

  /// Orders and checks files given by name and content.
  ///
  /// - Throws: `.migration` that names the file whose name or number is wrong.
  init(files contents: [(name: String, text: String)]) throws(PostgresError) {
    var files: [File] = []
    for (name, text) in contents.sorted(by: { $0.name < $1.name }) {
      let digits = name.prefix { $0 != "_" }
      guard digits.utf8.count == 4, digits.utf8.allSatisfy({ (48...57).contains($0) }), let version = Int32(digits),
        name.hasSuffix(".sql")
      else { throw PostgresError(.migration, "\(name) is not named like 0001_name.sql") }
      if let last = files.last, last.version == version {
        throw PostgresError(.migration, "\(name) has the number of \(last.name)")
      }
      guard version == files.count + 1 else {
        throw PostgresError(.migration, "\(name) does not follow \(files.last?.name ?? "0000"): a number is missing")
      }
      files.append(File(version: version, name: name, text: text))
    }
    self.files = files
  }

  /// Brings the database up to date, on a connection of its own; other migrators wait until this one is done.
  ///
  /// Returns the names of the files that were applied. When the task is cancelled, the file under way is rolled back.
  /// - Throws: `.migration` that names the file and the reason; `CancellationError`; otherwise as connections do.
  package func apply(
    loop: EventLoop, configuration: PostgresConfiguration
  ) async throws -> [String] {
    var configuration = configuration
    configuration.statementMax = .zero
    let connection = try await PostgresConnection.connect(loop: loop, configuration: configuration)
    defer { connection.close() }
    try await takeLock(connection, loop)
    _ = try await connection.execute([
      Statement(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
          version int PRIMARY KEY,
          name text NOT NULL,
          checksum bytea NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT now()
        )
        """)
    ])
    let pending = try await pending(connection)
    for file in pending { try await apply(file, connection) }
    return pending.map(\.name)
  }

  /// Asks again and again: a session that waits for a lock holds a snapshot, for which whoever holds the lock may have to
  /// wait in turn (CREATE INDEX CONCURRENTLY does).
  private func takeLock(_ connection: PostgresConnection, _ loop: EventLoop) async throws {
    while try await !connection.query(Statement("SELECT pg_try_advisory_lock($1)", Self.lock)).single().value(0) {
      try await loop.sleep(for: Self.lockInterval)
    }
  }

  /// The files not yet applied, when those applied are unchanged.
  private func pending(_ connection: PostgresConnection) async throws(PostgresError) -> ArraySlice<File> {
    let rows = try await connection.query(
      Statement(
        """
        SELECT applied.name, applied.checksum = sha256(convert_to(file.text, 'UTF8'))
        FROM unnest($1, $2) AS file(version, text) LEFT JOIN schema_migrations AS applied USING (version)
        ORDER BY version
        """, files.map(\.version), files.map(\.text)))
    var appliedCount = 0
    for (file, row) in zip(files, rows) {
      let (name, isUnchanged) = try row.values((String?, Bool?).self)
      guard let name else { continue }
      guard name == file.name else {
        throw PostgresError(.migration, "\(file.name): the database has \(name) under this number")
      }
      guard isUnchanged == true else {
        throw PostgresError(.migration, "\(file.name) was changed after it was applied: restore it and add a new file")
      }
      guard file.version == appliedCount + 1 else {
        throw PostgresError(.migration, "\(file.name) was applied but an earlier file was not")
      }
      appliedCount += 1
    }
    return files[appliedCount...]
  }

  private func apply(_ file: File, _ connection: PostgresConnection) async throws {
    do {
      try await connection.withTransaction { transaction in
        _ = try await transaction.query(
          Statement(
            """
            INSERT INTO schema_migrations (version, name, checksum)
            VALUES ($1, $2, sha256(convert_to($3, 'UTF8')))
            """, file.version, file.name, file.text))
        try await connection.run(script: file.text)
      }
    } catch let error as PostgresError {
      if case .server = error.code {
        throw PostgresError(.migration, "\(file.name): \(error.message)", detail: error.detail)
      }
      throw error
    }
  }
}
