internal import Files
internal import HTTP
internal import Wire

/// The files of Swagger UI, read once at the start.
package struct SwaggerUI: Sendable {
  /// The largest file, in bytes; the largest of version 5 has 1.7 MB.
  private static let bytesMax = 8 << 20

  /// What is served, out of everything that a release of Swagger UI consists of.
  private static let types = [
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
  ]

  /// The files by their names.
  private let files: [String: StoredContent]

  /// Reads the files from a directory. Throws an error that names the file that cannot be read.
  package init(directory: String) throws {
    let compressor = GzipCompressor(level: 9)
    var files: [String: StoredContent] = [:]
    for (name, type) in Self.types {
      do throws(FileError) {
        let body = try FileContent.read("\(directory)/\(name)", bytesMax: Self.bytesMax)
        files[name] = Self.content(type, body, compressor)
      } catch {
        throw SwaggerUIError(description: "--docs-assets: \(directory)/\(name) \(error)")
      }
    }
    files["initializer.js"] = Self.content("text/javascript; charset=utf-8", Array(Self.initializer.utf8), compressor)
    files[""] = Self.content("text/html; charset=utf-8", Array(Self.page.utf8), compressor)
    self.files = files
  }

  private static func content(_ type: String, _ body: [UInt8], _ compressor: GzipCompressor) -> StoredContent {
    StoredContent(type: type, body: body, policy: policy, compressor: compressor)
  }

  /// The file of this name; the page itself has none.
  func file(_ name: String) -> StoredContent? { files[name] }

  /// Everything comes from here, and nothing is inline but styles, which Swagger UI sets itself.
  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  /// The page that shows Swagger UI.
  private static let page = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Gozon: the API</title>
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
    </head>
    <body>
    <div id="swagger-ui"></div>
    <noscript>Swagger UI needs JavaScript. The same, to be read as it is: <a href="openapi.json">openapi.json</a>.</noscript>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/initializer.js"></script>
    </body>
    </html>

    """

  /// What starts Swagger UI.
  private static let initializer = """
    "use strict";
    SwaggerUIBundle({
      url: "openapi.json",
      dom_id: "#swagger-ui",
      deepLinking: true,
      displayRequestDuration: true,
      validatorUrl: null,
    });

    """
}

/// Why Swagger UI cannot be read.
struct SwaggerUIError: Error, CustomStringConvertible {
  let description: String
}
