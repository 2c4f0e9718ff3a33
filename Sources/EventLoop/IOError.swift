internal import CUV
package import TLS

/// A call to the operating system, or a connection by TLS, that failed.
package struct IOError: Error, Equatable, CustomStringConvertible {
  /// The negated `errno`, as libuv reports it.
  package let code: Int32
  /// What was being done, such as `connect to 127.0.0.1:7001`.
  package let operation: String
  /// What ended TLS; nil when it was the operating system.
  package let tls: TLSError?

  /// An error of `operation` with libuv's `code`.
  package init(code: Int32, operation: String) {
    self.code = code
    self.operation = operation
    tls = nil
  }

  /// The error of a connection that TLS ended.
  init(tls error: TLSError) {
    code = UV_EPROTO.rawValue
    operation = "TLS"
    tls = error
  }

  /// Whether the address was taken already.
  package var isAddressInUse: Bool { code == UV_EADDRINUSE.rawValue }

  /// Such as `connect to 127.0.0.1:7001: connection refused`.
  package var description: String { tls?.message ?? "\(operation): \(String(cString: uv_strerror(code)))" }

  /// The error of giving `operation` up after its time.
  package static func timedOut(_ operation: String) -> IOError {
    IOError(code: UV_ETIMEDOUT.rawValue, operation: operation)
  }

  /// The error of giving `operation` up because it was cancelled.
  package static func cancelled(_ operation: String) -> IOError {
    IOError(code: UV_ECANCELED.rawValue, operation: operation)
  }

  /// Throws when libuv returned an error.
  static func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(IOError) {
    if code < 0 { throw IOError(code: code, operation: operation()) }
  }
}
