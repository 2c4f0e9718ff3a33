internal import Glibc

/// What tells one content of a file from another without reading it.
package struct FileVersion: Equatable, Sendable {
  private let device: UInt
  private let inode: UInt
  private let bytes: Int
  private let modifiedSeconds: Int
  private let modifiedNanoseconds: Int

  /// The present version of the file; nil when there is none.
  package init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    bytes = Int(status.st_size)
    modifiedSeconds = status.st_mtim.tv_sec
    modifiedNanoseconds = status.st_mtim.tv_nsec
  }
}
