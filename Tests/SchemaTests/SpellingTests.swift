import Schema
import Testing

@Suite("Spelling")
struct SpellingTests {
  @Test(arguments: [
    ("amout", "amount"), ("amuont", "amount"), ("Amount", "amount"), ("curency", "currency"), ("userid", "userId"),
    ("idd", "id"),
  ])
  func `the nearest name is meant`(word: String, meant: String) {
    #expect(nearestSpelling(to: word, among: ["id", "userId", "amount", "currency"]) == meant)
  }

  @Test(arguments: ["price", "", "x", "amountInMinorUnits"])
  func `a name far from all is nobody's`(word: String) {
    #expect(nearestSpelling(to: word, among: ["userId", "amount", "currency"]) == nil)
  }

  @Test func `the first of equally near names is taken, and long ones are cut`() {
    #expect(nearestSpelling(to: "ab", among: ["ax", "ay"]) == "ax")
    let long = String(repeating: "a", count: 100_000)
    #expect(nearestSpelling(to: long, among: [long + "b"]) == long + "b")
  }
}
