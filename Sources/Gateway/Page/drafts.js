import { uuid7 } from "./ids.js";
import { passing } from "./storage.js";

/**
 * What somebody means to do, with the id under which it is done once.
 *
 * The id stays the same while the same thing is being tried, over errors and reloads of the page, until it is answered.
 */
export class Draft {
  #name;

  constructor(name) {
    this.#name = `gozon.draft.${name}`;
  }

  /** The id for this content: the one it had the last time, or a new one. */
  idFor(content) {
    const text = JSON.stringify(content);
    const known = this.#read();
    if (known?.text === text) return known.id;
    const id = uuid7();
    passing.set(this.#name, JSON.stringify({ text, id }));
    return id;
  }

  /** It is done, or will never be: the same content again is something new. */
  clear() {
    passing.remove(this.#name);
  }

  #read() {
    try {
      return JSON.parse(passing.get(this.#name));
    } catch {
      return null;
    }
  }
}
