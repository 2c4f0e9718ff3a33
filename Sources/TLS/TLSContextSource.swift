internal import Files

/// Gives the context of new connections, made anew when the files of its configuration have changed: certificates can be
/// renewed without a restart.
// Used on the one event loop of its connections.
package final class TLSContextSource: @unchecked Sendable {
  /// How often the files are looked at, at most.
  private static let checkInterval: Duration = .seconds(1)

  private let configuration: TLSConfiguration
  private let onFailure: (TLSError) -> Void
  private var context: TLSContext
  private var versions: [FileVersion?]
  private var checked: ContinuousClock.Instant

  /// Reads the files of `configuration`.
  ///
  /// - Parameter onFailure: is told when changed files cannot be used; what was read before stays in force.
  /// - Throws: ``TLSError/Code/configuration``, naming the setting that must change.
  package init(
    _ configuration: TLSConfiguration, now: ContinuousClock.Instant = .now,
    onFailure: @escaping (TLSError) -> Void = { _ in }
  ) throws(TLSError) {
    self.configuration = configuration
    self.onFailure = onFailure
    versions = configuration.files.map { FileVersion(path: $0.path) }
    context = try TLSContext(configuration)
    checked = now
  }

  /// The context for a connection that begins now.
  package func current(now: ContinuousClock.Instant = .now) -> TLSContext {
    guard now - checked >= Self.checkInterval else { return context }
    checked = now
    // Looked up before the files are read: what changes in between is read again the next time.
    let versions = configuration.files.map { FileVersion(path: $0.path) }
    guard versions != self.versions else { return context }
    self.versions = versions
    do throws(TLSError) { context = try TLSContext(configuration) } catch { onFailure(error) }
    return context
  }
}
