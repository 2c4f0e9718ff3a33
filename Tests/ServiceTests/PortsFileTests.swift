import Foundation
import Testing

@testable import Service

@Suite struct PortsFileTests {
  @Test func `ports are written whole, over what was there, and nothing else is left`() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gozon-ports-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("ports.json").path
    #expect(PortsFile.write(["orders": 1, "ordersAdmin": 2], to: path) == nil)
    #expect(PortsFile.write(["orders": 7001, "ordersAdmin": 9081], to: path) == nil)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "{\"orders\":7001,\"ordersAdmin\":9081}\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["ports.json"])
  }

  @Test func `no path writes nothing, and a wrong one says why`() {
    #expect(PortsFile.write(["orders": 1], to: "") == nil)
    let problem = PortsFile.write(["orders": 1], to: "/nowhere/at/all/ports.json")
    #expect(problem == "cannot write /nowhere/at/all/ports.json: No such file or directory")
  }
}
