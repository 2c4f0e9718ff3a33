package import EventLoop
internal import HTTP

/// What operators and their tools ask a process, on a port of its own: `/healthz`, `/readyz`, `/metrics`.
package struct AdminServer: Sendable {
  private let server: HTTPServer

  /// Listens at once; serves while ``part`` runs.
  ///
  /// - Parameters:
  ///   - readiness: asked at each `/readyz`: everything that the process needs.
  ///   - metrics: asked at each `/metrics`; those of the process and of its dependencies are told beside.
  package init(
    loop: EventLoop, host: String, port: Int, readiness: @escaping @Sendable () -> [Readiness],
    metrics: @escaping @Sendable () -> [Metric]
  ) throws(IOError) {
    server = try HTTPServer(loop: loop, host: host, port: port) { request in
      switch String(decoding: request.path, as: UTF8.self) {
      case "/healthz": HealthPages.alive
      case "/readyz": HealthPages.ready(readiness())
      case "/metrics":
        .content(
          "text/plain; version=0.0.4; charset=utf-8",
          Metric.text(of: metrics() + readiness().metrics + ProcessFigures.metrics))
      default: .content("text/plain", "there are /healthz, /readyz and /metrics\n", status: .notFound)
      }
    }
  }

  /// The port that is listened on.
  package var port: Int { server.port }

  /// The server as a part of the process.
  package var part: Part {
    Part("admin", run: { await server.run() }, beginGracefulShutdown: { server.beginGracefulShutdown() })
  }
}
