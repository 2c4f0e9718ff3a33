import Testing

@testable import Idempotency

@Suite struct KeyedAnswersTests {
  private static func request(_ key: String, _ request: [UInt8] = [1]) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: "Pay"), request: request)
  }

  @Test func `a key of before is a repeat or another request, and what is new stays new`() {
    var answers = KeyedAnswers([KeyedAnswer(to: Self.request("k"), response: [7])])
    #expect(answers.verdict(on: Self.request("k")) == .isRepeat(response: [7]))
    #expect(answers.verdict(on: Self.request("k", [2])) == .isAnother)
    #expect(answers.verdict(on: Self.request("l")) == .isNew && answers.verdict(on: nil) == .isNew)
    answers.keep([8], to: nil)
    #expect(answers.new.isEmpty)
  }

  @Test func `what is kept is a repeat from then on, and is to be written down`() {
    var answers = KeyedAnswers()
    answers.keep([8], to: Self.request("k"))
    #expect(answers.verdict(on: Self.request("k")) == .isRepeat(response: [8]))
    #expect(answers.verdict(on: Self.request("k", [2])) == .isAnother)
    #expect(answers.new == [KeyedAnswer(to: Self.request("k"), response: [8])])
  }
}
