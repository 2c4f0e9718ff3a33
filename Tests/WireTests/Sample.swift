import Wire

/// A message with a field of every type, laid out as the compiler would.
struct Sample: Message {
  var flag = false
  var small: Int32 = 0
  var big: Int64 = 0
  var smallUnsigned: UInt32 = 0
  var bigUnsigned: UInt64 = 0
  var ratio = 0.0
  var name = ""
  var blob: [UInt8] = []
  var id = UUID.zero
  var time = Timestamp.zero
  var kind = Kind.first
  var inner = Inner()
  var numbers: [Int32] = []
  var names: [String] = []
  var inners: [Inner] = []
  var maybe: Int64?
  var maybeName: String?
  var maybeInner: Inner?

  static var fullName: String { "gozon.test.Sample" }

  init() {}

  var encodedSize: Int {
    8 + 131 + name.encodedSize + blob.encodedSize + inner.encodedSize + MessageWriter.size(ofList: numbers)
      + MessageWriter.size(ofList: names) + MessageWriter.size(ofList: inners) + (maybeName?.encodedSize ?? 0)
      + (maybeInner?.encodedSize ?? 0)
  }

  func encode(into writer: inout MessageWriter) {
    writer.message(fixedLength: 131) { writer in
      writer.value(flag, 1, at: 8)
      writer.value(small, 2, at: 9)
      writer.value(big, 3, at: 13)
      writer.value(smallUnsigned, 4, at: 21)
      writer.value(bigUnsigned, 5, at: 25)
      writer.value(ratio, 6, at: 33)
      writer.value(name, 7, at: 41)
      writer.value(blob, 8, at: 49)
      writer.value(id, 9, at: 57)
      writer.value(time, 10, at: 73)
      writer.value(kind, 11, at: 81)
      writer.value(inner, 12, at: 83)
      writer.list(numbers, 13, at: 91)
      writer.list(names, 14, at: 99)
      writer.list(inners, 15, at: 107)
      writer.value(maybe, 16, at: 115)
      writer.value(maybeName, 17, at: 123)
      writer.value(maybeInner, 18, at: 131)
    }
  }

  init(from reader: inout MessageReader) throws(DecodingError) {
    flag = try reader.value(1, at: 8, "flag")
    small = try reader.value(2, at: 9, "small")
    big = try reader.value(3, at: 13, "big")
    smallUnsigned = try reader.value(4, at: 21, "smallUnsigned")
    bigUnsigned = try reader.value(5, at: 25, "bigUnsigned")
    ratio = try reader.value(6, at: 33, "ratio")
    name = try reader.value(7, at: 41, "name")
    blob = try reader.value(8, at: 49, "blob")
    id = try reader.value(9, at: 57, "id")
    time = try reader.value(10, at: 73, "time")
    kind = try reader.value(11, at: 81, "kind")
    inner = try reader.value(12, at: 83, "inner")
    numbers = try reader.list(13, at: 91, "numbers")
    names = try reader.list(14, at: 99, "names")
    inners = try reader.list(15, at: 107, "inners")
    maybe = try reader.optionalValue(16, at: 115, "maybe")
    maybeName = try reader.optionalValue(17, at: 123, "maybeName")
    maybeInner = try reader.optionalValue(18, at: 131, "maybeInner")
  }
}

/// What a sample holds: a message that may hold more of itself.
struct Inner: Message {
  var note = ""
  var children: [Inner] = []

  static var fullName: String { "gozon.test.Inner" }

  init() {}

  init(_ note: String, _ children: [Inner] = []) {
    self.note = note
    self.children = children
  }

  var encodedSize: Int { 24 + note.encodedSize + MessageWriter.size(ofList: children) }

  func encode(into writer: inout MessageWriter) {
    writer.message(fixedLength: 16) { writer in
      writer.value(note, 1, at: 8)
      writer.list(children, 2, at: 16)
    }
  }

  init(from reader: inout MessageReader) throws(DecodingError) {
    note = try reader.value(1, at: 8, "note")
    children = try reader.list(2, at: 16, "children")
  }
}

enum Kind: UInt16, MessageEnum {
  case first = 1
  case second = 700

  static var fullName: String { "gozon.test.Kind" }
  static var zero: Kind { .first }

  var name: String {
    switch self {
    case .first: "FIRST"
    case .second: "SECOND"
    }
  }
}

/// A message of one version: the fields of a later version come behind.
struct OldVersion: Message {
  var amount: Int64 = 0
  var note = ""

  static var fullName: String { "gozon.test.Versioned" }

  init() {}

  init(amount: Int64, note: String) {
    self.amount = amount
    self.note = note
  }

  var encodedSize: Int { 24 + note.encodedSize }

  func encode(into writer: inout MessageWriter) {
    writer.message(fixedLength: 16) { writer in
      writer.value(amount, 1, at: 8)
      writer.value(note, 2, at: 16)
    }
  }

  init(from reader: inout MessageReader) throws(DecodingError) {
    amount = try reader.value(1, at: 8, "amount")
    note = try reader.value(2, at: 16, "note")
  }
}

/// The later version of ``OldVersion``.
struct NewVersion: Message {
  var amount: Int64 = 0
  var note = ""
  var id: UUID?
  var remark: String?

  static var fullName: String { "gozon.test.Versioned" }

  init() {}

  var encodedSize: Int { 48 + note.encodedSize + (remark?.encodedSize ?? 0) }

  func encode(into writer: inout MessageWriter) {
    writer.message(fixedLength: 40) { writer in
      writer.value(amount, 1, at: 8)
      writer.value(note, 2, at: 16)
      writer.value(id, 3, at: 24)
      writer.value(remark, 4, at: 40)
    }
  }

  init(from reader: inout MessageReader) throws(DecodingError) {
    amount = try reader.value(1, at: 8, "amount")
    note = try reader.value(2, at: 16, "note")
    id = try reader.optionalValue(3, at: 24, "id")
    remark = try reader.optionalValue(4, at: 40, "remark")
  }
}

extension Sample {
  /// A sample in which nothing is zero and nothing is absent.
  static var full: Sample {
    var sample = Sample()
    sample.flag = true
    sample.small = -2
    sample.big = -3_000_000_000
    sample.smallUnsigned = 4_000_000_000
    sample.bigUnsigned = .max
    sample.ratio = 0.5
    sample.name = "Gözon"
    sample.blob = [0, 255, 1]
    sample.id = UUID(high: 0x0123_4567_89AB_CDEF, low: 0x8899_AABB_CCDD_EEFF)
    sample.time = Timestamp(microseconds: 1_763_650_200_123_456)
    sample.kind = .second
    sample.inner = Inner("in")
    sample.numbers = [1, -1]
    sample.names = ["a", "", "ж"]
    sample.inners = [Inner(), Inner("x", [Inner("y")])]
    sample.maybe = 0
    sample.maybeName = ""
    sample.maybeInner = Inner("last")
    return sample
  }
}
