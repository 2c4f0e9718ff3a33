// The list of orders, each with its story behind it.

import { call, insist } from "./api.js";
import { announce, arrange, byId, fromTemplate, part, setIcon, setText, setTime } from "./dom.js";
import { formatAmount } from "./money.js";
import {
  eventWords,
  exactTimeWords,
  laterWords,
  orderName,
  orderState,
  problemWords,
  timeWords,
  wholeTimeWords,
} from "./words.js";

const PAGE = 25;
const PAGE_MAX = 1_000;
/** More than so many are shown to whoever asks for them, but do not pile up by themselves. */
const SHOWN_MAX = 500;
/** More changes at once are told as a number. */
const SPOKEN_MAX = 3;

const ICONS = { wait: "clock", good: "check", bad: "cross", back: "back", off: "minus" };

/** A user's orders, newest first. */
export class OrderList {
  #userId;
  #orders = new Map();
  #rows = new Map();
  /** Where the list goes on; empty at its end, null when that is not known any more. */
  #next = "";
  #isListed = false;
  #shownMax = SHOWN_MAX;
  #hooks;
  #list = byId("orders");
  #more = byId("orders-more");
  #loading = byId("orders-loading");
  #empty = byId("orders-empty");

  /** `changed()` is called when money may have moved; `again(order)` when somebody wants the same once more. */
  constructor(userId, hooks) {
    this.#userId = userId;
    this.#hooks = hooks;
    this.#more.onclick = () => this.#showOlder();
  }

  /** An order that is known here. */
  get(id) {
    return this.#orders.get(id);
  }

  /** Lists what is shown anew: what has happened while nobody told. */
  async catchUp() {
    const isFirst = !this.#isListed;
    const size = Math.min(PAGE_MAX, Math.max(PAGE, this.#orders.size));
    const page = await this.#page({ pageSize: size });
    const last = page.orders.at(-1);
    // What the page would have to name and does not is beyond its end now.
    if (page.nextPageToken) {
      for (const order of this.#orders.values()) if (comesBefore(last, order)) this.#orders.delete(order.id);
    }
    this.#next = page.nextPageToken;
    this.#isListed = true;
    this.#take(page.orders, { isNews: !isFirst });
  }

  /** An order was made or has changed. */
  put(order) {
    this.#take([order], { isNews: true });
    if (this.#orders.size > this.#shownMax) this.#trim();
  }

  async #page(query) {
    const search = new URLSearchParams({ userId: this.#userId, ...query });
    return call("GET", `/v1/orders?${search}`, { quiet: true });
  }

  async #showOlder() {
    if (this.#more.getAttribute("aria-busy") === "true") return;
    this.#more.setAttribute("aria-busy", "true");
    try {
      const query = this.#next === null ? { pageSize: PAGE_MAX } : { pageSize: PAGE, pageToken: this.#next };
      const page = await this.#page(query);
      this.#next = page.nextPageToken;
      const first = page.orders.find((order) => !this.#orders.has(order.id));
      this.#take(page.orders, { isNews: false });
      this.#shownMax = Math.max(SHOWN_MAX, this.#orders.size);
      announce(`${page.orders.length} older orders.`);
      if (first) part(this.#rows.get(first.id), "toggle").focus();
    } catch (problem) {
      announce(problemWords(problem));
    } finally {
      this.#more.removeAttribute("aria-busy");
    }
  }

  #take(orders, { isNews }) {
    // An answer to somebody who is not shown any more.
    if (!this.#list.isConnected) return;
    const changed = [];
    const spoken = [];
    for (const order of orders) {
      const known = this.#orders.get(order.id);
      if (known && !isNewer(order, known)) continue;
      this.#orders.set(order.id, order);
      changed.push(order);
      const state = orderState(order);
      if (known ? orderState(known).word !== state.word : state.isSettled) spoken.push(order);
    }
    this.#render();
    if (!isNews || changed.length === 0) return;
    for (const order of changed) this.#rows.get(order.id)?.setAttribute("data-changed", "");
    if (spoken.length > SPOKEN_MAX) announce(`${spoken.length} orders have changed.`);
    else for (const order of spoken) announce(`${orderName(order)}, ${amountOf(order)}: ${stateWords(order)}.`);
    this.#hooks.changed();
  }

  #trim() {
    const sorted = [...this.#orders.values()].sort((a, b) => (comesBefore(a, b) ? -1 : 1));
    for (const order of sorted.slice(this.#shownMax)) this.#orders.delete(order.id);
    this.#next = null;
    this.#render();
  }

  #render() {
    const sorted = [...this.#orders.values()].sort((a, b) => (comesBefore(a, b) ? -1 : 1));
    for (const id of this.#rows.keys()) if (!this.#orders.has(id)) this.#rows.delete(id);
    arrange(this.#list, sorted.map((order) => this.#row(order)));
    this.#loading.hidden = this.#isListed;
    this.#empty.hidden = !this.#isListed || sorted.length > 0;
    this.#list.hidden = sorted.length === 0;
    this.#more.hidden = this.#next === "";
  }

  #row(order) {
    let row = this.#rows.get(order.id);
    if (!row) {
      row = fromTemplate("order-row");
      this.#rows.set(order.id, row);
      part(row, "details").id = `details-${order.id}`;
      const toggle = part(row, "toggle");
      toggle.setAttribute("aria-controls", `details-${order.id}`);
      toggle.addEventListener("click", () => this.#toggle(row, order.id));
      part(row, "cancel").addEventListener("click", () => this.#cancel(row, order.id));
      part(row, "again").addEventListener("click", () => this.#hooks.again(this.#orders.get(order.id)));
      row.addEventListener("animationend", () => row.removeAttribute("data-changed"));
    }
    if (row.order !== order) this.#fill(row, order);
    return row;
  }

  #fill(row, order) {
    row.order = order;
    const state = orderState(order);
    row.dataset.kind = state.kind;
    setIcon(part(row, "icon"), ICONS[state.kind]);
    setText(part(row, "name"), orderName(order));
    part(row, "name").classList.toggle("unnamed", !order.description);
    setText(part(row, "amount"), amountOf(order));
    setText(part(row, "state"), state.word);
    setText(part(row, "why"), state.why ? `: ${state.why}` : "");
    setTime(part(row, "time"), order.createdAt, timeWords(order.createdAt), wholeTimeWords(order.createdAt));
    setText(part(row, "id"), order.id);
    const canCancel = (order.status === "NEW" || order.status === "FINISHED") && !order.cancelRequestedAt;
    const cancel = part(row, "cancel");
    if (!canCancel && document.activeElement === cancel) part(row, "toggle").focus();
    cancel.hidden = !canCancel;
    setText(part(cancel, "label"), order.status === "FINISHED" ? "Cancel and refund" : "Cancel order");
    part(row, "again").hidden = !(state.isSettled && order.status !== "FINISHED");
    if (isOpen(row)) this.#showTimeline(row, order.id);
  }

  #toggle(row, id) {
    const opens = !isOpen(row);
    part(row, "toggle").setAttribute("aria-expanded", String(opens));
    part(row, "details").hidden = !opens;
    if (opens) this.#showTimeline(row, id);
  }

  async #showTimeline(row, id) {
    const error = part(row, "problem");
    try {
      const { events } = await call("GET", `/v1/orders/${id}/events`);
      setText(error, "");
      arrange(part(row, "timeline"), events.map((event, index) => timelineItem(event, events[index - 1])));
    } catch (problem) {
      setText(error, problemWords(problem));
    }
  }

  async #cancel(row, id) {
    const button = part(row, "cancel");
    if (button.getAttribute("aria-busy") === "true" || !(await this.#hooks.confirmCancel(this.#orders.get(id)))) return;
    const error = part(row, "problem");
    setText(error, "");
    button.setAttribute("aria-busy", "true");
    try {
      this.put(await insist("POST", `/v1/orders/${id}/cancel`));
    } catch (problem) {
      setText(error, problemWords(problem));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }
}

function timelineItem(event, previous) {
  const item = fromTemplate("timeline-item");
  item.dataset.kind = event.kind;
  setText(part(item, "what"), eventWords(event));
  setTime(part(item, "at"), event.at, exactTimeWords(event.at), wholeTimeWords(event.at));
  setText(part(item, "later"), previous ? laterWords(previous.at, event.at) : "");
  return item;
}

function isOpen(row) {
  return part(row, "toggle").getAttribute("aria-expanded") === "true";
}

function amountOf(order) {
  return formatAmount(order.amount, order.currency);
}

function stateWords(order) {
  const { word, why } = orderState(order);
  return why ? `${word}, ${why}` : word;
}

/** Whether one order is above another in a list that has the newest first. */
function comesBefore(order, other) {
  if (order.createdAt !== other.createdAt) return order.createdAt > other.createdAt;
  return order.id > other.id;
}

/** Whether what is told of an order is later than what is known of it: answers and events may overtake each other. */
function isNewer(order, known) {
  if (order.updatedAt !== known.updatedAt) return order.updatedAt > known.updatedAt;
  return Boolean(order.cancelRequestedAt) && !known.cancelRequestedAt;
}
