import CDeflate

/// CRC-32 as in IEEE 802.3, gzip and PNG: the one that every language's standard library has.
public enum CRC32 {
  /// The checksum of some bytes, or of more bytes after those whose checksum is `previous`.
  public static func checksum(_ bytes: RawSpan, after previous: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { libdeflate_crc32(previous, $0.baseAddress, $0.count) }
  }
}
