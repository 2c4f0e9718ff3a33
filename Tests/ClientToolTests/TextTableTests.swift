import Testing

@testable import ClientTool

@Suite struct TextTableTests {
  @Test func `columns are as wide as their widest cell, and empty ones are left out`() {
    var table = TextTable([("NAME", .left), ("EMPTY", .left), ("COUNT", .right), ("NOTE", .left)])
    table.append("a", "", "1", "first")
    table.append("longer", "", "12345", "")
    #expect(
      table.text == """
        NAME    COUNT  NOTE
        a           1  first
        longer  12345
        """)
  }

  @Test func `a table without rows has its headings, and a cell is one line`() {
    #expect(TextTable("A", "B").text == "A  B")
    var table = TextTable("A")
    table.append("x\ny\r\nz")
    #expect(table.text == "A\nx y z")
  }
}
