internal import API
internal import EventLoop
internal import RPC
internal import Service

let configuration = Program.configuration(
  usage: """
    bench-client --server HOST:PORT --shape SHAPE [--flag value …]

    Moves messages of 1 KB in one stream from or to bench-server, and prints how many a second as JSON.
    """,
  settings: [
    Setting("server", .addresses, default: nil, "The bench-server."),
    Setting("shape", .choice(StreamLoad.Shape.allCases.map(\.rawValue)), default: nil, "Who sends: the server or we."),
    Setting("seconds", .integer(1...3_600), default: "5", "How long."),
  ] + CommonSettings.all)
Program.run(Log(service: "bench-client", configuration: configuration)) { loop in
  guard let shape = StreamLoad.Shape(rawValue: configuration.text("shape")),
    let server = configuration.addresses("server").first
  else { return }
  let client = RPCClient(loop: loop, host: server.host, port: server.port)
  let connection = loop.startTask { await client.run() }
  try await client.untilConnected()
  let load = StreamLoad(
    probe: ProbeClient(client), loop: loop, duration: .seconds(configuration.integer("seconds")))
  print(try await load.run(shape))
  connection.cancel()
}
