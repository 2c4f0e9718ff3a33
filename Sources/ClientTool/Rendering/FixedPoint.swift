/// A number with so many decimals, such as `12.50`.
func fixedPoint(_ value: Double, _ decimals: Int) -> String {
  let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
  let scaled = (value * scale).rounded()
  guard scaled.isFinite, scaled.magnitude < 1e18 else { return "\(value)" }
  let digits = String(Int64(scaled.magnitude))
  let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
  let whole = padded.dropLast(decimals)
  return (scaled < 0 ? "-" : "") + whole + (decimals > 0 ? ".\(padded.suffix(decimals))" : "")
}

extension Duration {
  /// Such as `1.250 ms`.
  var inMilliseconds: String { "\(fixedPoint(self / .milliseconds(1), 3)) ms" }
}
