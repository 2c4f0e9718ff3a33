internal import HTTP
internal import Schema

/// The page at `/docs` where Swagger UI is not set up: what can be called here.
enum RoutesPage {
  /// The routes of a table, as HTML.
  static func response(_ table: RouteTable) -> HTTPResponse {
    let rows = table.routes.map { route in
      """
      <tr><td>\(route.binding.method.rawValue)</td><td><code>\(escaped(route.binding.path.description))</code></td>\
      <td>\(escaped(route.method.docs))</td></tr>

      """
    }
    let text = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>Routes of Gozon</title>
      <style>
      body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
      table { border-collapse: collapse }
      td { padding: 0.25rem 1rem 0.25rem 0; vertical-align: top }
      </style>
      </head>
      <body>
      <h1>Routes</h1>
      <p><a href="openapi.json">openapi.json</a> describes them (OpenAPI 3.1) for the many tools that can read that.
      This gateway was started without Swagger UI. To have it here, start it with <code>--docs-assets DIR</code> or
      <code>GOZON_DOCS_ASSETS=DIR</code>, where DIR is the <code>dist</code> of a release of Swagger UI 5.</p>
      \(rows.isEmpty ? "<p>No service has been reached yet.</p>" : "<table>\n\(rows.joined())</table>")
      </body>
      </html>

      """
    let fields = [
      ("Content-Type", "text/html; charset=utf-8"), ("X-Content-Type-Options", "nosniff"),
      ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"),
    ]
    return HTTPResponse(.ok, fields: fields, body: Array(text.utf8))
  }

  /// `text` as it stands between tags or in quotes.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.append(character)
      }
    }
    return result
  }
}
