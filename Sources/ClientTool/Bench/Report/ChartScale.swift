internal import Glibc

/// Where values stand on an axis, as fractions from 0 to 1, and which of them are marked.
struct ChartScale: Sendable {
  /// A value with its label.
  struct Mark: Equatable, Sendable {
    let place: Double
    let label: String
  }

  let marks: [Mark]
  private let position: @Sendable (Double) -> Double

  private init(_ marks: [Mark], _ position: @escaping @Sendable (Double) -> Double) {
    self.marks = marks
    self.position = position
  }

  /// Where a value stands.
  func place(_ value: Double) -> Double { min(1, max(0, position(value))) }

  /// From 0 to a round number that is not less than `most`.
  static func linear(to most: Double, _ label: (Double) -> String) -> ChartScale {
    let most = most > 0 ? most : 1
    let step = roundStep(most / 4)
    let top = (most / step).rounded(.up) * step
    let count = Int((top / step).rounded())
    let marks = (0...count).map { Mark(place: Double($0) / Double(count), label: label(Double($0) * step)) }
    return ChartScale(marks) { $0 / top }
  }

  /// The same marks, on an axis that ends at `most` instead of at the round number.
  func cut(at most: Double) -> ChartScale {
    let end = position(most)
    guard end > 0 else { return self }
    let marks = marks.filter { $0.place <= end }.map { Mark(place: $0.place / end, label: $0.label) }
    return ChartScale(marks) { [position] in position($0) / end }
  }

  /// From `least` to `most`, in decades, with marks at powers of ten, or at 1, 2 and 5 when there are few.
  static func logarithmic(from least: Double, to most: Double, _ label: (Double) -> String) -> ChartScale {
    let (low, high) = (log10(max(least, 1e-9)), log10(max(most, least * 1.01, 1e-9)))
    let steps = high - low > 2.5 ? [1.0] : [1, 2, 5]
    let values = (Int(low.rounded(.down))...Int(high.rounded(.up))).flatMap { power in
      steps.map { $0 * pow(10, Double(power)) }
    }
    let marks = values.filter { (low...high).contains(log10($0)) }
      .map { Mark(place: (log10($0) - low) / (high - low), label: label($0)) }
    return ChartScale(marks) { (log10(max($0, 1e-9)) - low) / (high - low) }
  }

  /// Fractions of `count` values, with each nine as wide as the one before it: 0, 90 %, 99 %, 99.9 % …
  static func nines(count: UInt64) -> ChartScale {
    let nines = max(1, log10(Double(max(count, 10))))
    let marks = (0...Int(nines)).map { nine in
      Mark(place: Double(nine) / nines, label: nine == 0 ? "0%" : "\(percent(nines: nine))%")
    }
    return ChartScale(marks) { $0 >= 1 ? 1 : -log10(1 - $0) / nines }
  }

  private static func percent(nines: Int) -> String {
    let digits = String(repeating: "9", count: nines)
    return nines <= 2 ? (nines == 1 ? "90" : "99") : "99.\(digits.dropFirst(2))"
  }

  /// 1, 2, 2.5 or 5 times a power of ten, not less than `step`.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    return [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= step * 0.999 } ?? step
  }
}
