internal import HTTP
internal import Wire

/// The web page at `/`. Its files are part of the program; what they show comes from the API, as for any other client.
enum WebPage {
  /// The page runs its own files and nothing else, calls nobody but this server, and is in no frame of another page.
  private static let policy = [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
    "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].joined(separator: "; ")

  /// The folder of everything but `/` itself.
  private static let folder = Array("/page/".utf8)

  /// The file at a path; nil when the page has none there.
  static func file(at path: ArraySlice<UInt8>) -> StoredContent? {
    guard path.count == 1 || path.starts(with: folder) else { return nil }
    return files[String(decoding: path, as: UTF8.self)]
  }

  /// Makes the files ready, so that nobody waits for their compression later.
  static func prepare() { _ = files }

  private static let files: [String: StoredContent] = {
    let script = "text/javascript; charset=utf-8"
    let compressor = GzipCompressor(level: 12)
    let files: [(path: String, type: String, body: [UInt8])] = [
      ("/", "text/html; charset=utf-8", PackageResources.index_html),
      ("/page/page.css", "text/css; charset=utf-8", PackageResources.page_css),
      ("/page/icon.svg", "image/svg+xml", PackageResources.icon_svg),
      ("/page/account.js", script, PackageResources.account_js),
      ("/page/api.js", script, PackageResources.api_js),
      ("/page/app.js", script, PackageResources.app_js),
      ("/page/dialogs.js", script, PackageResources.dialogs_js),
      ("/page/dom.js", script, PackageResources.dom_js),
      ("/page/drafts.js", script, PackageResources.drafts_js),
      ("/page/forms.js", script, PackageResources.forms_js),
      ("/page/ids.js", script, PackageResources.ids_js),
      ("/page/live.js", script, PackageResources.live_js),
      ("/page/money.js", script, PackageResources.money_js),
      ("/page/orders.js", script, PackageResources.orders_js),
      ("/page/shop.js", script, PackageResources.shop_js),
      ("/page/statement.js", script, PackageResources.statement_js),
      ("/page/storage.js", script, PackageResources.storage_js),
      ("/page/tabs.js", script, PackageResources.tabs_js),
      ("/page/users.js", script, PackageResources.users_js),
      ("/page/welcome.js", script, PackageResources.welcome_js),
      ("/page/words.js", script, PackageResources.words_js),
    ]
    return Dictionary(
      uniqueKeysWithValues: files.map { file in
        (file.path, StoredContent(type: file.type, body: file.body, policy: policy, compressor: compressor))
      })
  }()
}
