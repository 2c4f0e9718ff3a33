import Testing
import Wire

@Suite("Pattern")
struct PatternTests {
  @Test(arguments: [
    ("[A-Z]{3}", ["RUB", "USD"], ["", "RU", "RUBL", "rub", "R1B", "RÜB", " RUB"]),
    ("", [""], ["a"]),
    ("a?b", ["b", "ab"], ["", "a", "aab", "bb"]),
    ("a*b+", ["b", "ab", "aaabbb"], ["", "a", "ba"]),
    ("[a-z0-9_-]{2,4}", ["a_", "a-b", "z9z9"], ["a", "abcde", "A_"]),
    ("a?a?a?aaa", ["aaa", "aaaa", "aaaaaa"], ["aa", "aaaaaaa"]),
    ("x{0,2}y", ["y", "xy", "xxy"], ["xxxy", "x"]),
    ("[+*?.-]+", ["+", "*?.-"], ["a", ""]),
    ("\\[\\d\\]", ["[d]"], ["[1]", "d"]),
    ("[\\]a]", ["]", "a"], ["\\"]),
    ("[a-]", ["a", "-"], ["b"]),
    ("[^a]", ["^", "a"], ["b"]),
  ])
  func `a text matches as a whole or not at all`(pattern: String, matching: [String], other: [String]) throws {
    let pattern = try Pattern(pattern)
    for text in matching { #expect(pattern.matches(text), "\(text)") }
    for text in other { #expect(!pattern.matches(text), "\(text)") }
    let expression = try Regex(pattern.regularExpression)
    for text in matching { #expect(text.wholeMatch(of: expression) != nil, "\(text)") }
    for text in other { #expect(text.wholeMatch(of: expression) == nil, "\(text)") }
  }

  @Test(arguments: [
    ("[A-Z]{3}", "^[A-Z]{3}$"), ("\\d\\.\\-", "^d\\.-$"), ("[^[a\\-\\]]", "^[\\^\\[a\\-\\]]$"),
    ("[a-z\\\\]*", "^[a-z\\\\]*$"),
  ])
  func `a pattern is a regular expression of ECMA-262 too`(pattern: String, expression: String) throws {
    #expect(try Pattern(pattern).regularExpression == expression)
  }

  @Test(arguments: [
    ("+a", "wrong at character 1: there is nothing to repeat"),
    ("a**", "wrong at character 3: there is nothing to repeat"),
    ("[A-Z", "wrong at character 4: a class such as [A-Z] needs members and a ']'"),
    ("[]", "wrong at character 1: a class such as [A-Z] needs members and a ']'"),
    ("[z-a]", "wrong at character 4: a range goes upwards"),
    ("a{3,2}", "wrong at character 6: repeat with {n} or {n,m}, n not above m"),
    ("a{0}", "wrong at character 4: repeat with {n} or {n,m}, n not above m"),
    ("a{,2}", "wrong at character 3: a number belongs there"),
    ("a{99999999999999999999}", "wrong at character 5: repeat with {n} or {n,m}, n not above m"),
    ("a{64}", "longer than 63 characters; bound the length with @length instead"),
    ("é", "wrong at character 1: an ASCII character belongs there"),
    ("a\\", "wrong at character 3: an ASCII character belongs there"),
  ])
  func `a pattern outside the language is refused with the place`(pattern: String, problem: String) {
    #expect(performing: { try Pattern(pattern) }, throws: { "\($0)" == problem })
  }

  @Test(arguments: ["(a)", "a|b", "a.b", "^a", "a$", "a]", "a}"])
  func `what other languages have and this one has not is refused`(pattern: String) {
    #expect(throws: PatternError.self) { try Pattern(pattern) }
  }

  @Test func `a long text costs one step for each character`() throws {
    // A backtracking matcher would need 2^30 steps.
    let pattern = try Pattern(String(repeating: "a?", count: 30) + String(repeating: "a", count: 30))
    #expect(pattern.matches(String(repeating: "a", count: 45)))
    #expect(!pattern.matches(String(repeating: "a", count: 100_000)))
  }
}
