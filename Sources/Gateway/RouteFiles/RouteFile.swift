internal import Schema

/// Routes beside those of the schemas, as somebody wrote them down.
///
/// A route is a line, and what is special about it follows in lines that begin with a blank; `#` begins a comment line:
///
/// ```
/// POST /accounts/deposit -> Payments.Deposit
///   status 200
/// GET /orders/open -> Orders.ListOrders
///   query user -> userId
///   set status = NEW
/// ```
///
/// Fields come under their own names from where they come in a schema's routes: from the path's variables, and else from
/// the query (GET, DELETE) or the JSON body. `query NAME -> FIELD` and `body NAME -> FIELD` take one from an item of the
/// query or a member of the body of another name, `set FIELD = TEXT` gives it a value that no caller can change.
/// `location /PATH` and `etag` are what they are in a schema.
///
/// A form of its own: a route stays on one line that can be searched for, every mistake has a line to name, and paths need
/// no quotes. JSON has no comments, and its parsers forget the lines.
package struct RouteFile: Sendable {
  /// One route.
  struct Entry: Sendable {
    /// Where it begins.
    let line: Int
    let method: HTTPBinding.Method
    let path: PathTemplate
    /// The method's name, as it was written.
    let target: String
    var status = 200
    var location: PathTemplate?
    var hasETag = false
    var sources: [(line: Int, source: FieldSource)] = []

    /// The route without its method.
    var binding: HTTPBinding {
      HTTPBinding(
        method: method, path: path, status: status, location: location, hasETag: hasETag, sources: sources.map(\.source)
      )
    }

    /// Such as `POST /accounts/deposit`.
    var name: String { "\(method.rawValue) \(path)" }
  }

  /// The largest file, in bytes.
  static let bytesMax = 256 << 10
  /// The most routes.
  static let routesMax = 1_000

  /// The routes in their order.
  private(set) var entries: [Entry] = []

  /// No routes.
  package init() {}

  /// Reads a file. Throws everything that is wrong with it at once.
  package init(parsing bytes: [UInt8]) throws(RouteFileErrors) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw RouteFileErrors([RouteFileError(line: 1, message: "the file is not UTF-8")])
    }
    var errors: [RouteFileError] = []
    var hasRoute = false
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, bytes) in lines.enumerated() {
      // Of the bytes: in a String, CR and LF are one character.
      let line = String(decoding: bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes, as: UTF8.self)
      let content = line.trimmed
      if content.isEmpty || content.first == "#" { continue }
      do throws(Mistake) {
        if line.first == " " || line.first == "\t" {
          // What belongs to a line that could not be read is not judged.
          if hasRoute { try readOption(content, index + 1) }
          if entries.isEmpty, !hasRoute, errors.isEmpty {
            throw Mistake("a line that begins with a blank belongs to a route")
          }
        } else {
          hasRoute = false
          entries.append(try Self.route(content, index + 1))
          hasRoute = true
        }
      } catch {
        errors.append(RouteFileError(line: index + 1, message: error.message))
      }
    }
    if entries.count > Self.routesMax {
      let line = entries[Self.routesMax].line
      errors.append(RouteFileError(line: line, message: "a file has at most \(Self.routesMax) routes"))
    }
    if !errors.isEmpty { throw RouteFileErrors(errors) }
  }

  // MARK: Reading

  /// What is wrong with a line.
  private struct Mistake: Error {
    let message: String

    init(_ message: String) { self.message = message }
  }

  private static func route(_ text: Substring, _ line: Int) throws(Mistake) -> Entry {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count == 4, words[2] == "->" else {
      throw Mistake("write a route as 'GET /orders/{id} -> Orders.GetOrder'")
    }
    guard let method = HTTPBinding.Method(rawValue: String(words[0])) else {
      let known = HTTPBinding.Method.allCases.map(\.rawValue)
      throw Mistake(
        "the method of HTTP is one of \(known.joined(separator: ", ")), not '\(words[0])'"
          + suggestion(for: String(words[0]), among: known))
    }
    return Entry(line: line, method: method, path: try path(words[1]), target: String(words[3]))
  }

  private static func path(_ text: Substring) throws(Mistake) -> PathTemplate {
    guard let path = PathTemplate(String(text)) else {
      throw Mistake("a path is letters, digits and -._~ between slashes, or one {field}, such as /orders/{id}")
    }
    return path
  }

  private mutating func readOption(_ text: Substring, _ line: Int) throws(Mistake) {
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    let last = entries.count - 1
    switch (words[0], words.count) {
    case ("status", 2):
      guard let status = Int64(words[1]) else { throw Mistake("a status is a number such as 201") }
      if let problem = RouteRules.problem(ofStatus: status) { throw Mistake(problem) }
      entries[last].status = Int(status)
    case ("location", 2): entries[last].location = try Self.path(words[1])
    case ("etag", 1): entries[last].hasETag = true
    case ("query", 4) where words[2] == "->":
      entries[last].sources.append(
        (line, FieldSource(field: String(words[3]), place: .query(String(words[1])))))
    case ("body", 4) where words[2] == "->":
      guard entries[last].method.hasBody else {
        throw Mistake("a \(entries[last].method.rawValue) has no body; use query")
      }
      entries[last].sources.append((line, FieldSource(field: String(words[3]), place: .body(String(words[1])))))
    case ("set", 3...) where words[2] == "=":
      // The value is the rest of the line, blanks inside it included.
      let value = text[(text.firstIndex(of: "=").map { text.index(after: $0) } ?? text.endIndex)...].trimmed
      entries[last].sources.append((line, FieldSource(field: String(words[1]), place: .constant(String(value)))))
    default:
      throw Mistake(
        "behind a route only 'status 201', 'query NAME -> FIELD', 'body NAME -> FIELD', 'set FIELD = TEXT',"
          + " 'location /PATH' and 'etag' may stand")
    }
  }
}
