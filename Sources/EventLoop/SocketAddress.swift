internal import CUV

/// Addresses of sockets: from text and back, and by name.
enum SocketAddress {
  /// The address of a numeric IPv4 or IPv6 `host`, or of `localhost`; nil for other names.
  static func numeric(host: String, port: Int) -> sockaddr_storage? {
    guard (0...65_535).contains(port) else { return nil }
    let host = host == "localhost" ? "127.0.0.1" : host
    var storage = sockaddr_storage()
    let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
      let raw = UnsafeMutableRawPointer(pointer)
      return uv_ip4_addr(host, Int32(port), raw.assumingMemoryBound(to: sockaddr_in.self)) == 0
        || uv_ip6_addr(host, Int32(port), raw.assumingMemoryBound(to: sockaddr_in6.self)) == 0
    }
    return isKnown ? storage : nil
  }

  /// The address as `host:port`, IPv6 hosts in brackets.
  static func text(of address: UnsafePointer<sockaddr>) -> String {
    var name = [CChar](repeating: 0, count: 64)
    uv_ip_name(address, &name, name.count)
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return host.contains(":") ? "[\(host)]:\(port(of: address))" : "\(host):\(port(of: address))"
  }

  static func port(of address: UnsafePointer<sockaddr>) -> Int {
    // The port stands at the same place in both address families.
    address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Int(UInt16(bigEndian: $0.pointee.sin_port)) }
  }

  /// Looks `host` up, off the loop's thread; numeric hosts are answered at once.
  static func resolve(host: String, port: Int, on loop: EventLoop) async throws(IOError) -> sockaddr_storage {
    if let address = numeric(host: host, port: port) { return address }
    let lookup = Lookup()
    let result: Result<sockaddr_storage, IOError> = await withUnsafeContinuation { continuation in
      lookup.start(host: host, port: port, on: loop) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }
}

// Confined to its event loop.
private final class Lookup: @unchecked Sendable {
  private let request = UnsafeMutablePointer<uv_getaddrinfo_t>.allocate(capacity: 1)
  private var completion: ((Result<sockaddr_storage, IOError>) -> Void)?
  private var operation = ""
  private var port = 0

  deinit { request.deallocate() }

  func start(
    host: String, port: Int, on loop: EventLoop, completion: @escaping (Result<sockaddr_storage, IOError>) -> Void
  ) {
    loop.preconditionCurrent()
    self.completion = completion
    self.port = port
    operation = "look up \(host)"
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    let code = uv_getaddrinfo(
      loop.uv, request,
      { request, status, addresses in
        let lookup = Unmanaged<Lookup>.fromOpaque(request!.pointee.data).takeRetainedValue()
        lookup.completed(status, addresses)
        uv_freeaddrinfo(addresses)
      }, host, nil, nil)
    if code < 0 {
      Unmanaged.passUnretained(self).release()
      completion(.failure(IOError(code: code, operation: operation)))
    }
  }

  private func completed(_ status: Int32, _ addresses: UnsafeMutablePointer<addrinfo>?) {
    guard status == 0, let first = addresses, let address = first.pointee.ai_addr else {
      completion?(.failure(IOError(code: status == 0 ? UV_ENOENT.rawValue : status, operation: operation)))
      return
    }
    var storage = sockaddr_storage()
    withUnsafeMutablePointer(to: &storage) { pointer in
      let raw = UnsafeMutableRawPointer(pointer)
      raw.copyMemory(from: address, byteCount: Int(first.pointee.ai_addrlen))
      raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_port = UInt16(port).bigEndian
    }
    completion?(.success(storage))
  }
}
