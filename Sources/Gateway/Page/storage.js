// What the browser keeps, or this page alone where the browser is told to keep nothing.

class Storage {
  #kept;
  #own = new Map();

  /** `open()` gives the browser's storage, or throws. */
  constructor(open) {
    try {
      this.#kept = open();
    } catch {
      this.#kept = null;
    }
  }

  /** The text under a name, or null. */
  get(name) {
    return this.#own.get(name) ?? this.#kept?.getItem(name) ?? null;
  }

  /** Keeps a text under a name. */
  set(name, text) {
    this.#own.delete(name);
    try {
      this.#kept.setItem(name, text);
    } catch {
      this.#own.set(name, text);
    }
  }

  /** Forgets what is under a name. */
  remove(name) {
    this.#own.delete(name);
    this.#kept?.removeItem(name);
  }
}

/** For ever. */
export const lasting = new Storage(() => localStorage);
/** Until the tab is closed. */
export const passing = new Storage(() => sessionStorage);
