/// A schema that no service of ours has, for a gateway that must know none.
enum ShelfSchema {
  static let source = """
    /// Books on a shelf.
    package test.shelf

    /// Where a book is.
    enum BookState {
      /// On the shelf.
      HERE = 1
      /// Lent.
      LENT = 2
    }

    /// A book.
    message Book {
      /// Its number.
      id: uuid = 1
      /// Its title.
      title: string = 2
      /// Pages.
      pages: int32? = 3
      /// Where it is.
      state: BookState = 4
    }

    /// A new book.
    message AddBookRequest {
      /// The shelf.
      shelf: string = 1 @length(1, 20)
      /// Its title.
      title: string = 2 @length(1, 100)
      /// Pages.
      pages: int32? = 3 @range(1, 10000)
    }

    /// Asks for a book.
    message GetBookRequest {
      /// Its number.
      id: uuid = 1
    }

    /// Asks for books.
    message ListBooksRequest {
      /// The shelf.
      shelf: string = 1
      /// Only those.
      state: BookState? = 2
      /// At most so many.
      pageSize: int32? = 3 @range(1, 100)
    }

    /// Asks for books by what they have.
    message FindBooksRequest {
      /// All of these words.
      tags: list<string> = 1 @length(0, 3)
      /// One of these states.
      states: list<BookState> = 2
      /// These numbers of pages.
      pages: list<int64> = 3
      /// This digest.
      digest: bytes? = 4
    }

    /// Books.
    message ListBooksResponse {
      /// The books.
      books: list<Book> = 1
    }

    /// Keeps <books>.
    service Shelf = 40 {
      /// Adds a book.
      rpc AddBook(AddBookRequest) -> Book = 1
        @http(POST, "/v1/shelves/{shelf}/books", status: 201, location: "/v1/books/{id}")
        @idempotencyKey
      /// A book & where it is.
      rpc GetBook(GetBookRequest) -> Book = 2
        @http(GET, "/v1/books/{id}", etag)
        @idempotent
      /// All books of a shelf.
      rpc ListBooks(ListBooksRequest) -> ListBooksResponse = 3
        @http(GET, "/v1/shelves/{shelf}/books")
        @idempotent
      /// Lends a book.
      rpc LendBook(GetBookRequest) -> Book = 4
        @http(POST, "/v1/books/{id}/lend")
      /// The best book.
      rpc BestBook(GetBookRequest) -> Book = 5
        @http(DELETE, "/v1/books/best")
      /// Books by what they have.
      rpc FindBooks(FindBooksRequest) -> ListBooksResponse = 6
        @http(GET, "/v1/search")
        @idempotent
    }
    """

  /// Another service that wants one of the same routes.
  static let rival = """
    /// Rivals.
    package test.rival

    /// Asks for a thing.
    message GetThingRequest {
      /// Its number.
      id: uuid = 1
    }

    /// A thing.
    message Thing {
      /// Its number.
      id: uuid = 1
    }

    /// Keeps things.
    service Things = 41 {
      /// A thing.
      rpc GetThing(GetThingRequest) -> Thing = 1
        @http(GET, "/v1/books/{id}")
        @idempotent
      /// The same thing.
      rpc GetOther(GetThingRequest) -> Thing = 2
        @http(GET, "/v1/things/{id}")
        @idempotent
    }
    """

  static let id = "01890a5d-ac96-774b-bcce-b302099a8057"
}
