/// What digests are made with.
enum Digest {
  /// The largest seed: values are added to it.
  static let seedMax = Int64.max / 2
}
