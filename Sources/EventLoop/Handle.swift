internal import CUV

/// The life of a libuv handle: it is closed once, and its memory goes when libuv says so.
enum Handle {
  /// Closes the handle that `pointer` is, then frees its memory and runs the release that its owner left.
  static func close<Kind>(_ pointer: UnsafeMutablePointer<Kind>) {
    let handle = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
    guard uv_is_closing(handle) == 0 else { return }
    uv_close(handle, freeClosed)
  }

  /// Closes a handle found open when its loop ends.
  ///
  /// The loop's own handles (prepare, check, idle, async) belong to the loop object, which frees them.
  static func closeAtEnd(_ handle: UnsafeMutablePointer<uv_handle_t>) {
    switch uv_handle_get_type(handle) {
    case UV_PREPARE, UV_CHECK, UV_IDLE, UV_ASYNC: uv_close(handle, nil)
    default: uv_close(handle, freeClosed)
    }
  }

  /// Keeps `owner` alive while `pointer` is open, and lets callbacks find it.
  static func retain<Kind>(_ owner: AnyObject, for pointer: UnsafeMutablePointer<Kind>) {
    let handle = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: uv_handle_t.self)
    uv_handle_set_data(handle, Unmanaged.passRetained(owner).toOpaque())
  }

  /// The owner that was given to ``retain(_:for:)``.
  static func owner<Owner: AnyObject>(_ data: UnsafeMutableRawPointer?, as type: Owner.Type = Owner.self) -> Owner {
    Unmanaged<Owner>.fromOpaque(data!).takeUnretainedValue()
  }
}

private let freeClosed: uv_close_cb = { handle in
  guard let handle else { return }
  if let data = uv_handle_get_data(handle) { Unmanaged<AnyObject>.fromOpaque(data).release() }
  UnsafeMutableRawPointer(handle).deallocate()
}
