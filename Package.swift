// swift-tools-version: 6.2
import PackageDescription

/// Every target compiles in Swift 6 mode, and a warning is an error.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  // An async function runs where its caller does, without a look for another executor.
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
  // The hot paths cross modules (codec, frames, loop): let the optimizer see through them in release builds. It sees
  // through what is `public`, never through what is `package`, so the codec is public.
  .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// A C library of the system, with the Debian package that brings it.
func systemLibrary(_ name: String, pkgConfig: String, apt: String) -> Target {
  .systemLibrary(name: name, path: "Sources/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func module(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = [],
  plugins: [Target.PluginUsage] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: strict,
    plugins: plugins)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = [],
  plugins: [Target.PluginUsage] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies + ["TestSupport"], exclude: exclude, resources: resources,
    swiftSettings: strict, plugins: plugins)
}

let package = Package(
  name: "gozon",
  products: [
    .executable(name: "gozon-gateway", targets: ["gozon-gateway"]),
    .executable(name: "gozon-orders", targets: ["gozon-orders"]),
    .executable(name: "gozon-payments", targets: ["gozon-payments"]),
    .executable(name: "gozon", targets: ["gozon"]),
  ],
  targets: [
    // C libraries: exactly one Swift target imports each.
    systemLibrary("CUV", pkgConfig: "libuv", apt: "libuv1-dev"),
    systemLibrary("CPQ", pkgConfig: "libpq", apt: "libpq-dev"),
    systemLibrary("CNATS", pkgConfig: "libnats", apt: "libnats-dev"),
    systemLibrary("CDeflate", pkgConfig: "libdeflate", apt: "libdeflate-dev"),
    systemLibrary("COpenSSL", pkgConfig: "openssl", apt: "libssl-dev"),
    systemLibrary("CCURL", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    systemLibrary("CNGHTTP2", pkgConfig: "libnghttp2", apt: "libnghttp2-dev"),
    .systemLibrary(name: "CWslay", path: "Sources/CWslay", providers: [.apt(["libwslay-dev"])]),
    .systemLibrary(name: "CHTTPParser", path: "Sources/CHTTPParser", providers: [.apt(["libhttp-parser-dev"])]),

    // The house, bottom up; imports go one way.
    module("Files", []),
    module("TLS", ["Files", "COpenSSL"], exclude: ["DESIGN.md"]),
    module("EventLoop", ["TLS", "CUV"]),
    module("Wire", ["CDeflate"]),
    module("JSON", []),
    module("Tracing", ["EventLoop", "Wire"]),
    module("Identity", ["TLS", "JSON", "Wire"]),
    module("Schema", ["JSON", "Wire"], exclude: ["DESIGN.md"]),
    program("SchemaCompiler", ["Schema", "Wire"]),
    .plugin(name: "SchemaPlugin", capability: .buildTool(), dependencies: ["SchemaCompiler"]),
    module(
      "HTTP", ["EventLoop", "TLS", "Wire", "CHTTPParser", "CNGHTTP2", "CWslay"], exclude: ["DESIGN.md"]),
    module("Service", ["EventLoop", "TLS", "Wire", "HTTP"]),
    module("OTLP", ["EventLoop", "JSON", "Service", "Tracing", "Wire", "CCURL"], exclude: ["DESIGN.md"]),
    module(
      "RPC", ["EventLoop", "TLS", "Tracing", "Wire"], exclude: ["schemas.txt", "DESIGN.md"], plugins: ["SchemaPlugin"]),
    module("Postgres", ["EventLoop", "Wire", "CPQ"], exclude: ["DESIGN.md"]),
    module("JetStream", ["EventLoop", "JSON", "Wire", "CNATS"], exclude: ["DESIGN.md"]),
    module("API", ["RPC", "Wire"], exclude: ["schemas.txt"], plugins: ["SchemaPlugin"]),
    // What conformance tests and load generators call.
    module("Probe", ["API", "RPC", "EventLoop", "Wire"]),
    module(
      "Messaging", ["EventLoop", "Wire", "Service", "RPC", "Postgres", "JetStream", "JSON", "API", "Tracing"],
      exclude: ["DESIGN.md"]),
    module(
      "Idempotency", ["EventLoop", "Wire", "Service", "RPC", "Postgres"], exclude: ["DESIGN.md"]),
    module(
      "Backend", ["Messaging", "RPC", "Postgres", "JetStream", "JSON", "Service", "EventLoop", "Tracing", "OTLP"]),
    module(
      "Orders",
      [
        "Backend", "Idempotency", "Messaging", "API", "RPC", "Postgres", "JetStream", "Service", "EventLoop", "Wire",
      ],
      exclude: ["DESIGN.md"]),
    module(
      "Payments",
      [
        "Backend", "Idempotency", "Messaging", "API", "RPC", "Postgres", "JetStream", "Service", "EventLoop", "Wire",
      ]),
    // The web page is part of the program, which so has it wherever it runs.
    module(
      "Gateway",
      ["Schema", "RPC", "HTTP", "Service", "Identity", "Files", "JSON", "EventLoop", "Tracing", "OTLP", "Wire"],
      exclude: ["Authentication/DESIGN.md"], resources: [.embedInCode("Page")]),
    module(
      "ClientTool",
      [
        "Messaging", "API", "Schema", "RPC", "Postgres", "JetStream", "Identity", "JSON", "Service", "EventLoop", "TLS",
        "Wire",
      ],
      exclude: ["Verification/DESIGN.md"]),

    // Small mains: parse, wire by hand, run.
    program("gozon-orders", ["Orders", "Backend", "Service"]),
    program("gozon-payments", ["Payments", "Backend", "Service"]),
    program("gozon-gateway", ["Gateway", "Service"]),
    program("gozon", ["ClientTool"]),
    // What tools/bench loads to measure RPC alone, and what loads its streams.
    program("bench-server", ["Probe", "API", "RPC", "Service", "EventLoop", "Wire"]),
    // What tests and load generators ask by HTTP.
    program("bench-http", ["HTTP", "Service", "EventLoop"]),
    program("bench-client", ["API", "RPC", "Service", "EventLoop", "Wire"]),

    // Tests: one target for each module; TestSupport is shared.
    .target(
      name: "TestSupport", dependencies: ["EventLoop", "Postgres", "TLS"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("Files", ["Files"]),
    tests("TLS", ["TLS"]),
    tests("Identity", ["Identity", "TLS", "JSON", "Wire"]),
    tests("EventLoop", ["EventLoop", "TLS"]),
    tests("Tracing", ["Tracing", "EventLoop", "Wire"]),
    tests("OTLP", ["OTLP", "Tracing", "HTTP", "JSON", "Service", "EventLoop", "Wire"]),
    tests("Wire", ["Wire"]),
    tests(
      "Schema", ["Schema", "RPC", "JSON", "Wire"],
      exclude: ["schemas.txt", "Schemas", "OpenAPI/notes.gozon", "OpenAPI/notes.json"],
      plugins: ["SchemaPlugin"]),
    tests("HTTP", ["HTTP", "EventLoop", "TLS"]),
    tests("Service", ["Service", "EventLoop", "TLS"]),
    tests("RPC", ["RPC", "Probe", "EventLoop", "TLS", "Wire", "API"]),
    tests("Postgres", ["Postgres", "EventLoop", "Wire"]),
    tests("JSON", ["JSON"]),
    tests("JetStream", ["JetStream", "JSON", "EventLoop"]),
    tests(
      "Messaging",
      ["Messaging", "RPC", "Postgres", "JetStream", "JSON", "Service", "EventLoop", "API", "Tracing", "Wire"]),
    tests("Idempotency", ["Idempotency", "RPC", "Postgres", "Service", "EventLoop", "API", "Wire"]),
    tests(
      "Orders",
      ["Orders", "Idempotency", "Messaging", "RPC", "Postgres", "JetStream", "Service", "EventLoop", "API", "Wire"]),
    tests("Payments", ["Payments", "Idempotency", "Messaging", "RPC", "Postgres", "EventLoop", "API", "Wire"]),
    tests("Integration", ["API", "RPC", "Postgres", "EventLoop", "Wire"]),
    tests(
      "Gateway",
      [
        "Gateway", "Schema", "RPC", "HTTP", "Service", "Identity", "Files", "JSON", "TLS", "EventLoop", "Tracing",
        "Wire",
      ]),
    tests(
      "ClientTool",
      [
        "ClientTool", "Orders", "Payments", "Idempotency", "Messaging", "Probe", "Schema", "RPC", "Postgres",
        "JetStream", "Identity", "JSON",
        "Service",
        "EventLoop", "TLS", "Wire", "API",
      ]),
  ]
)

/// Set by tools/fuzz: the decoders count what is reached in them, and there is a program that feeds them, for whose link
/// libFuzzer is needed.
if Context.environment["GOZON_FUZZ"] != nil {
  let counting: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer", "-enable-testing", "-assert-config", "Debug"])]
  for target in package.targets where ["Wire", "Schema", "HTTP", "RPC", "API"].contains(target.name) {
    target.swiftSettings = strict + counting
  }
  for target in package.targets where target.name == "SchemaCompiler" {
    // It has decoders in it. This runtime brings their counters, and no main.
    target.linkerSettings = [.unsafeFlags(["-Xclang-linker", "-fsanitize=undefined"])]
  }
  package.targets.append(
    .executableTarget(
      name: "fuzz", dependencies: ["API", "RPC", "HTTP", "Schema", "JSON", "Wire"], path: "Tests/Fuzz/Targets",
      exclude: ["schemas.txt", "Schemas"], swiftSettings: strict + counting,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])], plugins: ["SchemaPlugin"]))
}
