import Schema
import Testing

@Suite("JSONTemplate")
struct JSONTemplateTests {
  @Test func `an example is a right request wherever the marks leave it a choice`() throws {
    for schemas in [try Fixtures.house(), try Fixtures.everything()] {
      let translator = JSONTranslator(schemas)
      for index in schemas.messages.indices {
        let example = JSONTemplate.example(of: index, in: schemas)
        #expect(JSONFixture(translator: translator, index: index).problems(example) == [])
      }
    }
  }

  @Test func `an example names every field`() throws {
    let schemas = try Fixtures.house()
    let index = try #require(schemas.messages.firstIndex { $0.fullName == "gozon.orders.CreateOrderRequest" })
    let example = JSONLayout.indented(JSONTemplate.example(of: index, in: schemas))
    #expect(
      String(decoding: example, as: UTF8.self) == """
        {
          "userId": "00000000-0000-0000-0000-000000000000",
          "amount": 1,
          "currency": "AAA",
          "description": "",
          "id": "00000000-0000-0000-0000-000000000000"
        }
        """)
  }

  @Test func `layout leaves strings and empty things as they are`() {
    let json = #"{"a":[],"b":{},"c":["x, {\"y\": 1}\\",[1,2]],"d":null}"#
    #expect(
      String(decoding: JSONLayout.indented(Array(json.utf8)), as: UTF8.self) == #"""
        {
          "a": [],
          "b": {},
          "c": [
            "x, {\"y\": 1}\\",
            [
              1,
              2
            ]
          ],
          "d": null
        }
        """#)
  }
}
