// The account's statement.

import { call } from "./api.js";
import { announce, arrange, byId, fromTemplate, part, setText, setTime } from "./dom.js";
import { formatAmount } from "./money.js";
import { entryWords, problemWords, timeWords, wholeTimeWords } from "./words.js";

const PAGE = 25;

/** Every entry of an account, newest first. Only what is looked at is kept up to date. */
export class Statement {
  #path;
  #orderOf;
  #entries = new Map();
  #next = "";
  #isListed = false;
  #list = byId("entries");
  #table = byId("entries-table");
  #more = byId("entries-more");
  #loading = byId("entries-loading");
  #empty = byId("entries-empty");
  #error = byId("entries-error");

  /** `orderOf(id)` gives an order if it is known. */
  constructor(userId, orderOf) {
    this.#path = `/v1/accounts/${encodeURIComponent(userId)}/entries`;
    this.#orderOf = orderOf;
    this.#more.onclick = () => this.#showOlder();
  }

  /** Shows what is new. */
  async refresh() {
    try {
      const page = await this.#page({ pageSize: PAGE });
      const last = page.entries.at(-1);
      // Entries count up without a gap: when those that are known do not follow, they are of another time.
      if (!last || !this.#entries.has(last.id - 1)) {
        this.#entries.clear();
        this.#next = page.nextPageToken;
      }
      this.#isListed = true;
      this.#take(page.entries);
      setText(this.#error, "");
    } catch (problem) {
      setText(this.#error, problemWords(problem));
    }
  }

  async #page(query) {
    return call("GET", `${this.#path}?${new URLSearchParams(query)}`, { quiet: true });
  }

  async #showOlder() {
    if (this.#more.getAttribute("aria-busy") === "true") return;
    this.#more.setAttribute("aria-busy", "true");
    try {
      const page = await this.#page({ pageSize: PAGE, pageToken: this.#next });
      this.#next = page.nextPageToken;
      this.#take(page.entries);
      announce(`${page.entries.length} older entries.`);
      // The button is gone, and the focus would be, too.
      if (this.#more.hidden) this.#table.closest("[role=tabpanel]").focus();
    } catch (problem) {
      setText(this.#error, problemWords(problem));
    } finally {
      this.#more.removeAttribute("aria-busy");
    }
  }

  #take(entries) {
    for (const entry of entries) this.#entries.set(entry.id, entry);
    this.#render();
  }

  #render() {
    const sorted = [...this.#entries.values()].sort((a, b) => b.id - a.id);
    arrange(this.#list, sorted.map((entry) => this.#row(entry)));
    this.#loading.hidden = this.#isListed;
    this.#empty.hidden = !this.#isListed || sorted.length > 0;
    this.#table.hidden = sorted.length === 0;
    this.#more.hidden = this.#next === "";
  }

  #row(entry) {
    const row = fromTemplate("entry-row");
    row.dataset.kind = entry.kind;
    setText(part(row, "what"), entryWords(entry, this.#orderOf(entry.orderId)));
    setTime(part(row, "time"), entry.createdAt, timeWords(entry.createdAt), wholeTimeWords(entry.createdAt));
    setText(part(row, "amount"), formatAmount(entry.amount, entry.currency, { signed: true }));
    setText(part(row, "balance"), formatAmount(entry.balance, entry.currency));
    return row;
  }
}
