// Calls of the API, and what goes wrong with them.

import { passing } from "./storage.js";

/** A little more than the gateway gives a request. */
const TIMEOUT_MS = 12_000;
const INSIST_MS = 25_000;
const BACKOFF_MS = { first: 400, max: 5_000 };
const TOKEN = "gozon.token";

/** A call that failed: what the API says of it (RFC 9457), or that there was no answer, with the status 0. */
export class Problem extends Error {
  constructor(status, { type = "", code = "", detail = "", errors = [], requestId = "" } = {}, retryAfterMs = 0) {
    super(detail || `status ${status}`);
    this.status = status;
    this.code = code;
    /** A stable word, such as `ACCOUNT_EXISTS`; empty when the code says all. */
    this.reason = /^urn:gozon:problem:(.*)$/.exec(type)?.[1] ?? "";
    this.detail = detail;
    /** What is wrong with which field, as `{pointer, detail}`. */
    this.errors = errors;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request would do with a token, or with another one. */
  get wantsToken() {
    return this.status === 401 || this.reason === "AUTHORIZATION_MALFORMED";
  }

  /** Whether the same request may do better in a while. */
  get isTemporary() {
    // Under a key it is told so as well while the first request is still running.
    return [0, 408, 429, 502, 503, 504].includes(this.status) || this.reason === "IDEMPOTENCY_KEY_IN_USE";
  }
}

/** Who is asked for a token: gets whether there was one that did not do, gives another, or null. */
let askForToken = async () => null;
let asking = null;
let declined = false;

/** Sets who is asked for a token when the API wants one. */
export function setTokenSource(ask) {
  askForToken = ask;
}

/** The token of this session, or null. */
export function currentToken() {
  return passing.get(TOKEN);
}

/** Sets the token of this session. */
export function setToken(token) {
  declined = false;
  if (token) passing.set(TOKEN, token);
  else passing.remove(TOKEN);
}

/**
 * Sends a request; the response when it is a success, else a Problem.
 *
 * When the API wants a token it is asked for, once for all requests that wait, and the request is sent again. A `quiet`
 * request does not ask somebody who has just declined.
 */
export async function send(method, path, { body, key, accept = "application/json", headers: more = {}, signal, quiet = false } = {}) {
  for (;;) {
    const token = currentToken();
    const headers = { Accept: accept, ...more };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    if (token) headers.Authorization = `Bearer ${token}`;
    const response = await answer(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (!problem.wantsToken || (quiet && declined)) throw problem;
    if (currentToken() === token && !(await newToken(token))) throw problem;
  }
}

/** Calls a method of the API; what it answers. */
export async function call(method, path, options = {}) {
  const timer = new AbortController();
  const timeout = setTimeout(() => timer.abort(), TIMEOUT_MS);
  try {
    const response = await send(method, path, { ...options, signal: timer.signal });
    return await response.json().catch(() => {
      throw new Problem(0);
    });
  } finally {
    clearTimeout(timeout);
  }
}

/**
 * Calls a method that has one effect however often it is called, again and again until there is an answer that is final,
 * or for half a minute. `onRetry` is told that it takes longer.
 */
export async function insist(method, path, options = {}, onRetry = () => {}) {
  const deadline = Date.now() + INSIST_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(method, path, options);
    } catch (problem) {
      const pause = Math.max(problem.retryAfterMs ?? 0, backoffMs(attempt, BACKOFF_MS));
      if (!(problem instanceof Problem) || !problem.isTemporary || Date.now() + pause > deadline) throw problem;
      onRetry(problem);
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
}

/** How long to wait before another attempt: twice as long each time, and never quite the same. */
export function backoffMs(attempt, { first, max }) {
  return Math.min(max, first * 2 ** (attempt - 1)) * (0.7 + 0.6 * Math.random());
}

async function answer(path, request) {
  try {
    return await fetch(path, { ...request, cache: "no-cache", credentials: "same-origin" });
  } catch {
    throw new Problem(0);
  }
}

async function problemOf(response) {
  const retryAfterMs = Number(response.headers.get("Retry-After") ?? 0) * 1000 || 0;
  const members = await response.json().catch(() => ({}));
  return new Problem(response.status, members ?? {}, retryAfterMs);
}

async function newToken(refused) {
  asking ??= askForToken(refused !== null).finally(() => {
    asking = null;
  });
  const token = await asking;
  if (token) setToken(token);
  else declined = true;
  return Boolean(token);
}
