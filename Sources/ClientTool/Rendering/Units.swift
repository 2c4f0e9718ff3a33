/// Quantities in few characters, for columns.
enum Units {
  /// Such as `0`, `850 µs`, `12.5 ms` or `1.20 s`.
  static func microseconds(_ value: Double) -> String {
    if value == 0 { return "0" }
    if value < 1_000 { return "\(fixedPoint(value, value < 10 ? 1 : 0)) µs" }
    if value < 1_000_000 { return "\(fixedPoint(value / 1_000, value < 100_000 ? 1 : 0)) ms" }
    return "\(fixedPoint(value / 1_000_000, 2)) s"
  }

  /// Such as `250 ms`, `12 s`, `5m 10s`, `3h 05m` or `2d 4h`.
  static func time(_ milliseconds: UInt64) -> String {
    func two(_ value: UInt64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let seconds = milliseconds / 1_000
    switch seconds {
    case 0: return "\(milliseconds) ms"
    case ..<60: return "\(seconds) s"
    case ..<3_600: return "\(seconds / 60)m \(two(seconds % 60))s"
    case ..<86_400: return "\(seconds / 3_600)h \(two(seconds / 60 % 60))m"
    default: return "\(seconds / 86_400)d \(seconds / 3_600 % 24)h"
    }
  }

  /// Such as `0 B`, `900 B`, `12.5 KiB` or `3.0 MiB`; a debt is negative.
  static func bytes(_ value: Double) -> String {
    var (amount, names) = (value, ["KiB", "MiB", "GiB", "TiB"][...])
    guard amount.magnitude >= 1_024 else { return "\(fixedPoint(amount, 0)) B" }
    var name = "B"
    while amount.magnitude >= 1_024, let next = names.popFirst() { (amount, name) = (amount / 1_024, next) }
    return "\(fixedPoint(amount, 1)) \(name)"
  }

  /// Such as `950`, `12.5 k` or `1.2 M`.
  static func count(_ value: Double) -> String {
    func short(_ value: Double) -> String {
      let text = fixedPoint(value, value < 100 ? 1 : 0)
      return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
    if value == 0 { return "0" }
    if value < 1_000 { return short(value) }
    return value < 1_000_000 ? "\(short(value / 1_000)) k" : "\(short(value / 1_000_000)) M"
  }
}
