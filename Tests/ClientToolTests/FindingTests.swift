import JSON
import JetStream
import Testing

@testable import ClientTool

@Suite struct FindingTests {
  private static let check = StatementCheck(
    name: "values", rule: "all is well", subject: "account", database: .payments,
    statement: { PaymentsChecks.values(limit: $0) })

  private static func report(_ finding: Finding) -> CheckReport {
    CheckReport(check: check, finding: finding, time: .milliseconds(1_500))
  }

  @Test func `what holds is a line`() {
    #expect(Self.report(Finding()).text == "ok      values     1.50 s                  all is well")
    #expect(Self.report(Finding(rows: 12)).text == "ok      values     1.50 s   12 rows        all is well")
  }

  @Test func `what is broken is told up to a limit, and how much more there is`() {
    var finding = Finding(rows: 1)
    for number in 1...3 { finding.add(Breach(id: "\(number)", problem: "is wrong"), limit: 2) }
    #expect(
      Self.report(finding).text == """
        BROKEN  values     1.50 s   1 row          all is well
                  account 1 is wrong
                  account 2 is wrong
                  … and 1 more
        """)
    finding.isWhole = false
    #expect(Self.report(finding).text.hasSuffix("… and 1 or more: the rest was not looked at"))
    finding.count = 2
    #expect(Self.report(finding).text.hasSuffix("… and maybe more: the rest was not looked at"))
    #expect(
      Self.report(finding).json.description == """
        {"check":"values","rule":"all is well","holds":false,"seconds":1.5,"rows":1,"breaches":2,"isWhole":false,\
        "offending":[{"subject":"account","id":"1","problem":"is wrong"},\
        {"subject":"account","id":"2","problem":"is wrong"}]}
        """)
  }

  @Test func `buckets are looked at in groups of so many rows`() {
    let buckets = Buckets(count: 8)
    #expect(buckets.mask == 7)
    #expect(buckets.groups(of: [], rows: 0) == [])
    #expect(buckets.groups(of: [1, 5, 7], rows: 10) == [[1, 5, 7]])
    // 400,000 rows in each.
    #expect(buckets.groups(of: [1, 5, 7], rows: 3_200_000) == [[1], [5], [7]])
    #expect(buckets.groups(of: [1, 5, 7], rows: 800_000) == [[1, 5], [7]])
  }
}
