import Schema
import Testing

/// What is said about wrong schemas. Line 1 of each is `/// T.`, line 2 `package t`, line 3 the body's first.
@Suite("SchemaError")
struct SchemaErrorTests {
  private func errors(_ body: String) -> [String] {
    errors([("t.gozon", "/// T.\npackage t\n" + body)])
  }

  private func errors(_ sources: [(String, String)]) -> [String] {
    do {
      _ = try SchemaSet.parse(sources)
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }

  // MARK: Syntax

  @Test(arguments: [
    (
      "messag A {}",
      "3:1: error: expected package, import, enum, message or service, found 'messag'; did you mean 'message'?"
    ),
    ("/// A.\nmessage {}", "4:9: error: expected the message's name, found '{'"),
    ("/// A.\nmessage A {", "4:11: error: '{' is never closed"),
    ("/// A.\nmessage A {\n  id uuid = 1\n}", "5:6: error: expected ':', found 'uuid'"),
    ("/// A.\nmessage A {\n  id: uuid\n}", "6:1: error: expected '=' and a number, found '}'"),
    ("/// A.\nmessage A {\n  id: list<uuid = 1\n}", "5:17: error: expected '>', found '='"),
    (
      "/// A.\nmessage A {\n  id: list<list<uuid>> = 1\n}",
      "5:12: error: a list holds no lists; put a message between them"
    ),
    (
      "/// A.\nmessage A {\n  id: list<uuid?> = 1\n}",
      "5:16: error: the elements of a list are never optional; remove the '?'"
    ),
    (
      "/// A.\nmessage A {\n  id: list<uuid>? = 1\n}",
      "5:17: error: a list is never optional, an empty one says the same; remove the '?'"
    ),
    ("/// A.\nservice A {}", "4:11: error: expected '=' and a number, found '{'"),
    ("/// A.\nservice A = 1 {\n  /// B.\n  B(C) -> D = 1\n}", "6:3: error: expected 'rpc', found 'B'"),
    (
      "/// A.\nservice A = 1 {\n  /// B.\n  rpc B(C) D = 1\n}",
      "6:12: error: expected '->' and the response, found 'D'"
    ),
    (
      "/// A.\nmessage A {\n  id: int32 = 1 @range(1, {)\n}",
      "5:27: error: expected a number, a text or a word, found '{'"
    ),
    ("import orders", "3:8: error: expected the name of a file, such as \"orders.gozon\", found 'orders'"),
    ("package u", "3:1: error: the file names its package twice"),
    ("message A { # }", "3:13: error: the character '#' has no meaning here"),
    ("import \"a", "3:8: error: the text has no closing quote on its line"),
    ("enum A { B = 99999999999999999999 }", "3:14: error: '99999999999999999999' is not a whole number of 64 bits"),
    ("enum A { B = 1x }", "3:14: error: '1x' is not a whole number of 64 bits"),
  ])
  func `a mistake of syntax is named with its place`(body: String, error: String) {
    #expect(errors(body) == ["t.gozon:\(error)"])
  }

  @Test func `parsing goes on behind a mistake`() {
    let body = """
      /// A.
      message A {
        /// One.
        one int32 = 1
        /// Two.
        two: int32 = 2
        /// Three.
        three: = 3 @range(1, 2)
          @range
      }
      enum {
      }
      /// B.
      message B [
      """
    #expect(
      errors(body) == [
        "t.gozon:6:7: error: expected ':', found 'int32'",
        "t.gozon:10:10: error: expected a name, found '='",
        "t.gozon:13:6: error: expected the enum's name, found '{'",
        "t.gozon:16:11: error: the character '[' has no meaning here",
        "t.gozon:16:12: error: expected '{', found the end of the file",
      ])
  }

  @Test func `a file without a package is told to have one`() {
    #expect(
      errors([("a.gozon", "")]) == [
        "a.gozon:1:1: error: the file names no package; begin it with 'package gozon.name'"
      ])
  }

  // MARK: Names

  @Test(arguments: [
    ("message A {}", "3:9: error: there is no doc comment ('///') for this message"),
    (
      "/// A.\nmessage A {\n  id: uuid = 1\n}",
      "5:3: error: there is no doc comment ('///') for this field"
    ),
    ("enum A {\n  /// B.\n  B = 1\n}", "3:6: error: there is no doc comment ('///') for this enum"),
    ("/// A.\nenum A { B = 1 }", "4:10: error: there is no doc comment ('///') for this case"),
    ("service A = 1 {}", "3:9: error: there is no doc comment ('///') for this service"),
    ("/// A.\nmessage order {}", "4:9: error: 'order' must be in UpperCamelCase, such as 'OrderStatus'"),
    ("/// A.\nmessage Order_Item {}", "4:9: error: 'Order_Item' must be in UpperCamelCase, such as 'OrderStatus'"),
    (
      "/// A.\nmessage A {\n  /// B.\n  user_id: uuid = 1\n}",
      "6:3: error: 'user_id' must be in lowerCamelCase, such as 'createdAt'"
    ),
    (
      "/// A.\nenum A {\n  /// B.\n  New = 1\n}",
      "6:3: error: 'New' must be in UPPER_SNAKE_CASE, such as 'NO_ACCOUNT'"
    ),
    (
      "/// A.\nenum A {\n  /// B.\n  A_1 = 1\n}",
      "6:3: error: 'A_1' must be in UPPER_SNAKE_CASE, such as 'NO_ACCOUNT'"
    ),
    (
      "/// A.\nmessage A {}\n/// B.\nenum A {\n  /// C.\n  C = 1\n}",
      "6:6: error: 'A' is declared already, at t.gozon:4:9"
    ),
    ("/// A.\nenum A {}", "4:6: error: an enum needs a case, such as 'NEW = 1'"),
    (
      "/// A.\nmessage A {\n  /// B.\n  b: strin = 1\n}",
      "6:6: error: there is no type 'strin'; did you mean 'string'?"
    ),
    (
      "/// Order.\nmessage Order {}\n/// A.\nmessage A {\n  /// B.\n  b: Ordre = 1\n}",
      "8:6: error: there is no type 'Ordre'; did you mean 'Order'?"
    ),
    ("/// A.\nmessage A {\n  /// B.\n  b: map = 1\n}", "6:6: error: there is no type 'map'"),
    (
      "/// S.\nservice S = 1 {}\n/// A.\nmessage A {\n  /// B.\n  b: S = 1\n}",
      "8:6: error: 'S' is a service; a type belongs here"
    ),
    ("import \"u.gozon\"", "3:8: error: there is no file 'u.gozon'; did you mean 't.gozon'?"),
  ])
  func `names are checked`(body: String, error: String) {
    #expect(errors(body) == ["t.gozon:\(error)"])
  }

  @Test func `a package is in lower case`() {
    #expect(
      errors([("a.gozon", "/// A.\npackage Gozon.Orders\n")]) == [
        "a.gozon:2:9: error: a package is words of lower-case letters and digits joined by dots, such as 'gozon.orders'"
      ])
    #expect(
      errors([("a.gozon", "package a\n")]) == [
        "a.gozon:1:9: error: there is no doc comment ('///') for this file; write '///' lines before 'package'"
      ])
  }

  @Test func `a type of another file needs an import, and one meaning`() {
    let a = ("a.gozon", "/// A.\npackage a\n/// T.\nmessage T {}\n")
    let b = ("b.gozon", "/// B.\npackage b\n/// T.\nmessage T {}\n")
    func c(_ imports: String, _ type: String) -> (String, String) {
      ("c.gozon", "/// C.\npackage c\n\(imports)\n/// U.\nmessage U {\n  /// X.\n  x: \(type) = 1\n}\n")
    }
    #expect(errors([a, b, c("import \"a.gozon\"", "T")]) == [])
    #expect(errors([a, b, c("import \"a.gozon\" import \"b.gozon\"", "a.T")]) == [])
    #expect(
      errors([a, b, c("", "T")]) == [
        "c.gozon:7:6: error: 'T' is declared in another file; add 'import \"a.gozon\"'"
      ])
    #expect(
      errors([a, b, c("import \"a.gozon\" import \"b.gozon\"", "T")]) == [
        "c.gozon:7:6: error: 'T' has several meanings; write a.T or b.T"
      ])
  }

  @Test func `a file is given once, and not too many of them`() {
    let file = ("a.gozon", "/// A.\npackage a\n")
    #expect(errors([file, file]) == ["a.gozon:1:1: error: the file is given twice"])
    let many = (0..<65).map { ("f\($0).gozon", "/// A.\npackage a\n") }
    #expect(errors(many) == ["f0.gozon:1:1: error: 65 files are given; at most 64 are read"])
    #expect(errors([]) == [])
  }

  // MARK: Numbers

  @Test(arguments: [
    ("1", "3"), ("1", "1"), ("2", "3"), ("0", "1"),
  ])
  func `fields are numbered in order without gaps`(first: String, second: String) {
    let body = "/// A.\nmessage A {\n  /// B.\n  b: bool = \(first)\n  /// C.\n  c: bool = \(second)\n}"
    #expect(errors(body).count == 1)
    #expect(errors(body).first?.contains("fields are numbered 1, 2, 3 and so on in order") == true)
  }

  @Test func `a removed field keeps its place`() {
    #expect(errors("/// A.\nmessage A {\n  reserved uuid = 1\n  /// C.\n  c: bool = 2\n}") == [])
    #expect(
      errors("/// A.\nmessage A {\n  reserved bool = 1\n  /// C.\n  c: bool = 3\n}") == [
        "t.gozon:7:13: error: the number is 3 where 2 is next; fields are numbered 1, 2, 3 and so on in order, and a"
          + " removed one stays as 'reserved TYPE = n'"
      ])
  }

  @Test func `a message has at most 48 fields`() {
    func message(_ count: Int) -> String {
      "/// A.\nmessage A {\n" + (1...count).map { "/// F.\nf\($0): bool = \($0)\n" }.joined() + "}"
    }
    #expect(errors(message(48)) == [])
    #expect(errors(message(49)) == ["t.gozon:102:13: error: a message has at most 48 fields"])
  }

  @Test(arguments: [
    (
      "/// A.\nenum A {\n  /// B.\n  B = 65536\n}",
      "6:7: error: the number of a case is 0 to 65535, not 65536"
    ),
    ("/// A.\nenum A {\n  /// B.\n  B = -1\n}", "6:7: error: the number of a case is 0 to 65535, not -1"),
    ("/// A.\nenum A {\n  /// B.\n  B = 1\n  /// C.\n  C = 1\n}", "8:7: error: 'B' has the number 1 already"),
    ("/// A.\nenum A {\n  /// B.\n  B = 1\n  /// C.\n  B = 2\n}", "8:3: error: the enum has a case 'B' already"),
    (
      "/// A.\nmessage A {\n  /// B.\n  b: bool = 1\n  /// C.\n  b: bool = 2\n}",
      "8:3: error: the message has a field 'b' already"
    ),
    ("/// A.\nservice A = 0 {}", "4:13: error: the number of a service is 1 to 255, not 0"),
    ("/// A.\nservice A = 256 {}", "4:13: error: the number of a service is 1 to 255, not 256"),
    ("/// A.\nservice A = 1 {}\n/// B.\nservice B = 1 {}", "6:13: error: t.A has the number 1 already"),
  ])
  func `numbers are checked`(body: String, error: String) {
    #expect(errors(body) == ["t.gozon:\(error)"])
  }

  @Test func `a message that contains itself has no end`() {
    #expect(
      errors("/// A.\nmessage A {\n  /// B.\n  b: B? = 1\n}\n/// B.\nmessage B {\n  /// A.\n  a: A = 1\n}") == [
        "t.gozon:4:9: error: A contains B contains A, so it would have no end; a list<…> may be empty and ends it"
      ])
    #expect(errors("/// A.\nmessage A {\n  /// B.\n  b: list<A> = 1\n}") == [])
    #expect(
      errors("/// C.\nmessage C {\n  /// A.\n  a: A = 1\n}\n/// A.\nmessage A {\n  /// A.\n  a: A? = 1\n}") == [
        "t.gozon:9:9: error: A contains A, so it would have no end; a list<…> may be empty and ends it"
      ])
  }

  @Test func `a chain of thousands of messages is no danger to the stack`() {
    let count = 9000
    let chain = (0..<count).map { "/// M.\nmessage M\($0) {\n/// N.\nn: M\(($0 + 1) % count) = 1\n}\n" }.joined()
    #expect(errors(chain).first?.contains("so it would have no end") == true)
  }

  @Test func `at most 100 mistakes are reported`() {
    let body = (0..<500).map { "message a\($0) {}\n" }.joined()
    #expect(errors(body).count == 100)
  }

  @Test func `a file has at most a mebibyte`() {
    #expect(
      errors(String(repeating: "//\n", count: 400_000)) == ["t.gozon:1:1: error: the file is larger than 1048576 bytes"]
    )
  }

}
