import Schema

/// A schema with something of everything, and changes of it.
enum Things {
  /// Twice in the text where a change is to hit both.
  static let source = """
    /// Things.
    package t.things

    /// What clients see.
    enum Color {
      /// Red.
      RED = 1
      /// Blue.
      BLUE = 2
    }

    /// What clients ask for.
    enum Sorting {
      /// Up.
      UP = 1
      /// Down.
      DOWN = 2
    }

    /// Part of a request.
    message Part {
      /// A text.
      text: string = 1 @length(0, 5)
    }

    /// Request.
    message FindRequest {
      /// Id.
      id: uuid = 1
      /// Count.
      count: int32 = 2 @range(1, 10)
      /// Name.
      name: string? = 3 @pattern("[a-z]{1,3}")
      /// Sorting.
      sorting: Sorting = 4
      /// Items.
      items: list<int64> = 5 @length(0, 3)
      reserved int32 = 6
      /// Part.
      part: Part = 7
      /// Other.
      otherId: uuid? = 8
      /// Revision.
      revision: uint64? = 9
    }

    /// Response.
    message Thing {
      /// Id.
      id: uuid = 1
      /// Color.
      color: Color = 2
      /// Note.
      note: string? = 3
      /// Amount.
      amount: int64 = 4
      /// Limit.
      limit: int32 = 5 @range(0, 9)
      /// Tags.
      tags: list<string> = 6
      /// Version.
      version: uint32 = 7
    }

    /// Event.
    message ThingFound {
      /// Id.
      id: uuid = 1
      /// Why.
      why: string? = 2
    }

    /// Request.
    message TouchRequest {
      /// Id.
      id: uuid = 1
    }

    /// Place.
    message Place {
      /// Cursor.
      cursor: string? = 1 @cursor
    }

    /// S.
    service Finder = 9 {
      /// Find.
      rpc Find(FindRequest) -> Thing = 1
        @http(POST, "/v1/things/{id}", status: 201, location: "/v1/things/{id}", etag)
        @idempotent
        @access(owner: id)
      /// Touch.
      rpc Touch(TouchRequest) -> Thing = 2
        @idempotencyKey
        @access(anyone)
    }

    """

  /// The text with a part replaced.
  static func changed(_ part: String, _ replacement: String) -> String {
    precondition(source.contains(part), "'\(part)' is not in the schema")
    return source.replacing(part, with: replacement)
  }

  /// What a change breaks.
  static func findings(to changed: String) throws -> [CompatibilityFinding] {
    SchemaComparison.findings(
      from: try SchemaSet.parse([("things.gozon", source)]), to: try SchemaSet.parse([("things.gozon", changed)]))
  }
}
