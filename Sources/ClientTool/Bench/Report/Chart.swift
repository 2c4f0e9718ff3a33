/// A figure of a page: a drawing in SVG that stretches with the page, and labels in HTML that do not.
struct Chart: Sendable {
  /// How its points are drawn.
  enum Style: Sendable {
    case line, area, bars
  }

  let title: String
  /// What the axes are, in a line.
  let caption: String
  let style: Style
  let x: ChartScale
  let y: ChartScale
  /// In order of their x. A bar reaches to the next point; the last point ends the last bar.
  let points: [(x: Double, y: Double)]
  /// Further points that are drawn as a line in the colour of warnings.
  var warnings: [(x: Double, y: Double)] = []

  /// The drawing is so many units high and wide, whatever its size on the page.
  private static let size = 1_000.0

  /// The figure.
  var html: String {
    """
    <figure>
    <figcaption><h2>\(title)</h2><p>\(caption)</p></figcaption>
    <div class="chart" role="img" aria-label="\(title)">
    <div class="plot">
    <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">\(grid)\(drawing)</svg>
    </div>
    \(y.marks.map { Self.label($0, "y", from: "bottom", beyond: "--foot") }.joined())
    \(x.marks.map { Self.label($0, "x", from: "left", beyond: "--side") }.joined())
    </div>
    </figure>
    """
  }

  /// The label of an axis `kind`, so far `from` the edge of the plot, which begins where a variable of the style says.
  private static func label(_ mark: ChartScale.Mark, _ kind: String, from edge: String, beyond margin: String) -> String
  {
    let place = "calc(var(\(margin)) + (100% - var(\(margin))) * \(fixedPoint(mark.place, 4)))"
    return #"<span class="\#(kind)" style="\#(edge):\#(place)">\#(mark.label)</span>"#
  }

  private var grid: String {
    let rows = y.marks.map { "M0 \(down($0.place))H1000" }.joined()
    let columns = style == .bars ? "" : x.marks.map { "M\(across($0.place)) 0V1000" }.joined()
    return #"<path class="grid" d="\#(rows)\#(columns)"/>"#
  }

  private var drawing: String {
    let shape: String
    switch style {
    case .line: shape = #"<path class="line" d="\#(polyline(points))"/>"#
    case .area: shape = #"<path class="area" d="\#(closed(points))"/><path class="line" d="\#(polyline(points))"/>"#
    case .bars: shape = #"<path class="bars" d="\#(bars)"/>"#
    }
    return shape + (warnings.isEmpty ? "" : #"<path class="warning" d="\#(polyline(warnings))"/>"#)
  }

  private var bars: String {
    zip(points, points.dropFirst()).map { bar, next in
      let (left, right) = (x.place(bar.x), x.place(next.x))
      let gap = (right - left) * 0.08
      let (start, end) = (across(left + gap), across(right - gap))
      return bar.y > 0 ? "M\(start) 1000V\(down(y.place(bar.y)))H\(end)V1000Z" : ""
    }.joined()
  }

  private func polyline(_ points: [(x: Double, y: Double)]) -> String {
    points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(across(x.place(point.x))) \(down(y.place(point.y)))"
    }.joined()
  }

  private func closed(_ points: [(x: Double, y: Double)]) -> String {
    guard let first = points.first, let last = points.last else { return "" }
    return polyline(points) + "L\(across(x.place(last.x))) 1000L\(across(x.place(first.x))) 1000Z"
  }

  private func across(_ place: Double) -> String { fixedPoint(place * Self.size, 1) }

  private func down(_ place: Double) -> String { fixedPoint((1 - place) * Self.size, 1) }
}
