/// A number of things in words, such as `1 error` or `no breaches`.
func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
  switch count {
  case 0: "no \(many ?? "\(one)s")"
  case 1: "1 \(one)"
  default: "\(count) \(many ?? "\(one)s")"
  }
}
