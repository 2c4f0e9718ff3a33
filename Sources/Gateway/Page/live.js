// Follows a user's orders, for as long as it takes: over lost connections and restarts of the server.

import { backoffMs, Problem, send } from "./api.js";

const BACKOFF_MS = { first: 500, max: 15_000 };
/** The server says something at least this often; a connection that is silent for longer is dead. */
const SILENCE_MS = 45_000;

/**
 * Follows the orders of a user until it is stopped.
 *
 * - `catchUp()` is called once each connection stands: it lists what has happened meanwhile.
 * - `order(order)` is called with each order that changes.
 * - `state(name, problem)` is called with `live` when the page is up to date, and with `lost` when it may not be.
 */
export class OrderWatch {
  #path;
  #handlers;
  /** Of the last order that came; empty before the first. */
  #cursor = "";
  #stopping = new AbortController();
  #wake = () => {};

  constructor(userId, handlers) {
    this.#path = `/v1/users/${encodeURIComponent(userId)}/orders/watch?recent=0`;
    this.#handlers = handlers;
  }

  /** Follows until ``stop``. */
  async run() {
    const hurry = () => this.hurry();
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    let attempt = 0;
    while (!this.#isStopped) {
      try {
        await this.#connect(() => {
          attempt = 0;
        });
      } catch (problem) {
        if (this.#isStopped) break;
        if (!(problem instanceof Problem)) console.error(problem);
        attempt += 1;
        this.#handlers.state("lost", problem);
        await this.#pause(Math.max(problem.retryAfterMs ?? 0, backoffMs(attempt, BACKOFF_MS)));
      }
    }
    removeEventListener("online", hurry);
    document.removeEventListener("visibilitychange", hurry);
  }

  /** Ends it. */
  stop() {
    this.#stopping.abort();
    this.#wake();
  }

  /** Tries now what would be tried later. */
  hurry() {
    if (document.visibilityState === "visible") this.#wake();
  }

  get #isStopped() {
    return this.#stopping.signal.aborted;
  }

  async #connect(connected) {
    const connection = new AbortController();
    const abort = () => connection.abort();
    this.#stopping.signal.addEventListener("abort", abort);
    let silence = setTimeout(abort, SILENCE_MS);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(abort, SILENCE_MS);
    };
    try {
      const response = await this.#open(connection.signal);
      // Listed after the stream has begun, so that nothing falls between the two.
      await this.#handlers.catchUp();
      connected();
      this.#handlers.state("live");
      for await (const event of eventsOf(response.body, heard)) {
        const content = JSON.parse(event.data);
        if (event.event === "end") break;
        if (event.event === "error") throw new Problem(content.status ?? 0, content);
        this.#cursor = content.cursor ?? event.id ?? "";
        this.#handlers.order(content);
      }
      throw new Problem(0);
    } catch (error) {
      throw error instanceof Problem ? error : new Problem(0, { detail: String(error) });
    } finally {
      clearTimeout(silence);
      this.#stopping.signal.removeEventListener("abort", abort);
      abort();
    }
  }

  /** The stream of events. */
  #open(signal) {
    const headers = this.#cursor ? { "Last-Event-ID": this.#cursor } : {};
    // One that was taken back, say: the list tells the same.
    this.#cursor = "";
    return send("GET", this.#path, { accept: "text/event-stream", headers, signal, quiet: true });
  }

  #pause(milliseconds) {
    return new Promise((resume) => {
      const timer = setTimeout(resume, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resume();
      };
    });
  }
}

/** The events of a `text/event-stream` (WHATWG HTML section 9.2.6); `heard` is called whenever anything comes. */
export async function* eventsOf(body, heard = () => {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let event = {};
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    heard();
    text += value;
    // A carriage return at the end may be the first half of a line's end.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    text = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data !== undefined) yield event;
        event = {};
        continue;
      }
      const [, name, content] = /^([^:]*)(?:: ?)?(.*)$/s.exec(line);
      if (name === "data") event.data = event.data === undefined ? content : `${event.data}\n${content}`;
      else if (name === "event" || name === "id") event[name] = content;
    }
  }
}
