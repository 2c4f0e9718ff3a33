/// The candidate that somebody who wrote `word` most likely meant; nil when none is near.
///
/// Near is a difference of at most a third of the letters (but one is near, unless it is all there are), letter case
/// not counted.
package func nearestSpelling(to word: String, among candidates: some Sequence<String>) -> String? {
  let word = Array(word.lowercased().utf8.prefix(64))
  var best: (candidate: String, distance: Int)?
  for candidate in candidates {
    let letters = Array(candidate.lowercased().utf8.prefix(64))
    let distance = editDistance(word, letters)
    let allowed = min(max(1, max(word.count, letters.count) / 3), word.count - 1)
    guard distance <= allowed, distance < best?.distance ?? .max else { continue }
    best = (candidate, distance)
  }
  return best?.candidate
}

/// Names the likely meaning in a sentence: `; did you mean 'amount'?`, or nothing.
package func suggestion(for word: String, among candidates: some Sequence<String>) -> String {
  nearestSpelling(to: word, among: candidates).map { "; did you mean '\($0)'?" } ?? ""
}

/// The number of letters to insert, remove, replace or swap with their neighbour.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for row in 0..<left.count {
    var current = [row + 1]
    for column in 0..<right.count {
      let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
      var best = min(replaced, last[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        best = min(best, beforeLast[column - 1] + 1)
      }
      current.append(best)
    }
    (beforeLast, last) = (last, current)
  }
  return last[right.count]
}
