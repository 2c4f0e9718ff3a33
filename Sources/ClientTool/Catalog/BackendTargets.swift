internal import RPC
internal import Service
internal import TLS

/// Where the services are, and how they are called.
struct BackendTargets: Sendable {
  /// The addresses in the order in which they were given.
  let addresses: [Address]
  /// TLS, when it was asked for.
  var options: RPCClient.Options

  /// The same way to call, at other addresses.
  func at(_ addresses: [Address]) -> BackendTargets { BackendTargets(addresses: addresses, options: options) }
}

extension Arguments {
  /// The services that the options name.
  func backends() throws(UsageError) -> BackendTargets {
    let addresses = try addresses("backends")
    var options = RPCClient.Options()
    options.name = "gozon"
    options.token = try text("service-token").flatMap { text throws(UsageError) in
      if text.isEmpty { return nil }
      guard ServiceTokenSetting.lengths.contains(text.utf8.count) else {
        let lengths = ServiceTokenSetting.lengths
        throw UsageError(
          "a service token has \(lengths.lowerBound) to \(lengths.upperBound) bytes, this one \(text.utf8.count): "
            + "set GOZON_SERVICE_TOKEN to what the services have")
      }
      return ServiceToken(text)
    }
    do throws(TLSError) {
      let configuration = try RPCTLSSettings.clientConfiguration(
        { text($0) ?? "" }, applicationProtocol: RPCProtocol.name)
      if let configuration { options.tls = try TLSContextSource(configuration) }
    } catch {
      throw UsageError(error.message)
    }
    return BackendTargets(addresses: addresses, options: options)
  }
}
