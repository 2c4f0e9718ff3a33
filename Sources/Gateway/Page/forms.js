// Forms: one submission at a time, and errors at the fields that they are about.

import { part, setText } from "./dom.js";
import { problemWords, violationWords } from "./words.js";

/** What comes this soon after a success, with nothing entered, belongs to it: the second click of a double click. */
const ECHO_MS = 600;
/** Nobody wonders what is going on before. */
const SLOW_MS = 3_000;
/** Long enough to be read, short enough not to be taken for news. */
const STATUS_MS = 10_000;

/** What is wrong with some fields of a form, found here: `{pointer, detail}` in words. */
export class FormError extends Error {
  constructor(errors) {
    super("the form is not filled in rightly");
    this.errors = errors;
  }
}

/**
 * Does `work(say)` when the form is submitted; `say` shows how it is going. What comes while it is under way is dropped:
 * the second click of a double click. `currency` gives the currency of the amounts in it.
 */
export function onSubmit(form, work, currency = () => undefined) {
  const button = form.querySelector("[type=submit]");
  let doneAt = 0;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true" || Date.now() - doneAt < ECHO_MS) return;
    clear(form);
    form.setAttribute("aria-busy", "true");
    // Not `disabled`, which would lose the focus.
    button.setAttribute("aria-disabled", "true");
    const slow = setTimeout(() => say(form, "This takes longer than usual…"), SLOW_MS);
    try {
      await work((text) => say(form, text));
      doneAt = Date.now();
      const shown = part(form, "status").textContent;
      setTimeout(() => part(form, "status").textContent === shown && say(form, ""), STATUS_MS);
    } catch (error) {
      show(form, error, currency());
    } finally {
      clearTimeout(slow);
      form.removeAttribute("aria-busy");
      button.removeAttribute("aria-disabled");
    }
  });
  form.addEventListener("input", (event) => {
    doneAt = 0;
    const field = event.target.closest("[data-pointer]");
    if (field) setFieldError(field, "");
    if (form.getAttribute("aria-busy") !== "true") say(form, "");
  });
}

/** Takes back whatever a form says. */
export function clear(form) {
  for (const field of form.querySelectorAll("[data-pointer]")) setFieldError(field, "");
  setText(part(form, "problem"), "");
  say(form, "");
}

function say(form, text) {
  setText(part(form, "status"), text);
}

function show(form, error, currency) {
  if (error.status === undefined && !(error instanceof FormError)) console.error(error);
  say(form, "");
  const orphans = [];
  let first = null;
  for (const violation of error.errors ?? []) {
    const field = form.querySelector(`[data-pointer="${CSS.escape(violation.pointer)}"]`);
    const words = error instanceof FormError ? violation.detail : violationWords(violation, currency);
    if (field) {
      setFieldError(field, words);
      first ??= field;
    } else {
      orphans.push(words);
    }
  }
  if (orphans.length || !first) setText(part(form, "problem"), orphans.join(" ") || problemWords(error));
  first?.querySelector("input, select").focus();
}

function setFieldError(field, text) {
  const input = field.querySelector("input, select");
  setText(part(field, "error"), text);
  if (text) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}
