// What the API says, in words for people.

import { shortId } from "./ids.js";
import { AMOUNT_MAX, formatAmount } from "./money.js";

/** How an order stands: what kind of news that is, in a word, and in a sentence where a word does not do. */
export function orderState(order) {
  const open = order.status === "NEW" || order.status === "FINISHED";
  if (open && order.cancelRequestedAt) return { kind: "wait", word: "Being cancelled", isSettled: false };
  switch (order.status) {
    case "NEW":
      return { kind: "wait", word: "Being paid", isSettled: false };
    case "FINISHED":
      return { kind: "good", word: "Paid", isSettled: true };
    case "REFUNDED":
      return { kind: "back", word: "Refunded", isSettled: true };
    case "CANCELLED":
      return order.reason === "CANCELLED_BY_USER"
        ? { kind: "off", word: "Cancelled", isSettled: true }
        : { kind: "bad", word: "Not paid", why: reasonWords(order.reason), isSettled: true };
    default:
      return { kind: "off", word: order.status, isSettled: true };
  }
}

function reasonWords(reason) {
  switch (reason) {
    case "INSUFFICIENT_FUNDS":
      return "not enough money";
    case "NO_ACCOUNT":
      return "there was no account";
    case "CURRENCY_MISMATCH":
      return "the account is kept in another currency";
    case "CANCELLED_BY_USER":
      return "it was cancelled";
    default:
      return reason ?? "";
  }
}

/** What happened, on an order's timeline. */
export function eventWords(event) {
  switch (event.kind) {
    case "CREATED":
      return "Order taken";
    case "CANCEL_REQUESTED":
      return "Cancellation asked for";
    case "FINISHED":
      return "Paid from the account";
    case "REFUNDED":
      return "Money given back";
    case "CANCELLED":
      return event.reason === "CANCELLED_BY_USER" ? "Cancelled, nothing was taken" : `Not paid: ${reasonWords(event.reason)}`;
    default:
      return event.kind;
  }
}

/** What an order is called. */
export function orderName(order) {
  return order.description || "Untitled order";
}

/** What an entry of the statement is called; `order` is what it is about, where that is known. */
export function entryWords(entry, order) {
  switch (entry.kind) {
    case "DEPOSIT":
      return "Top-up";
    case "CHARGE":
      return order ? orderName(order) : `Order ${shortId(entry.orderId)}`;
    case "REFUND":
      return `Refund: ${order ? orderName(order) : `order ${shortId(entry.orderId)}`}`;
    default:
      return entry.kind;
  }
}

/** What went wrong with a whole request. */
export function problemWords(problem) {
  const byReason = {
    ACCOUNT_EXISTS: "There is an account under this number already.",
    BALANCE_TOO_LARGE: "This is more than fits on an account.",
    NO_ACCOUNT: "The shop does not know this account.",
    NO_ORDER: "The shop does not know this order.",
    ORDER_EXISTS: "Another order has the same number. Send it again to give it a new one.",
    IDEMPOTENCY_KEY_REUSED: "Something else was sent under the same number. Send it again to give it a new one.",
  }[problem.reason];
  if (byReason) return byReason;
  switch (problem.status) {
    case undefined:
      return "This page has failed. Load it again.";
    case 0:
      return "The shop does not answer. It is safe to try again: nothing is done twice.";
    case 401:
      return "The shop wants a token that says who you are.";
    case 403:
      return "Your token does not allow this. Use the account that it was made for, or another token.";
    case 408:
    case 504:
      return "The shop took too long to answer. It is safe to try again: nothing is done twice.";
    case 429:
    case 502:
    case 503:
      return "The shop is busy or being restarted. It is safe to try again in a moment: nothing is done twice.";
    case 500:
      return `The shop has failed. Tell whoever runs it this number: ${problem.requestId}.`;
    default:
      return sentence(problem.detail || "The shop did not say why.");
  }
}

/** What is wrong with a field. */
export function violationWords({ pointer, detail }, currency) {
  if (pointer === "/amount" && currency) {
    return `Enter an amount from ${formatAmount(1, currency)} to ${formatAmount(AMOUNT_MAX, currency)}.`;
  }
  if (pointer === "/currency") return "Use a currency's code of three capital letters, such as RUB.";
  if (pointer === "/description") return "Use 1,000 characters or fewer.";
  if (pointer === "/userId") return "Use an account's number, such as 01a21e3c-7749-7ddb-8ef1-9b5c02f585b1.";
  return sentence(detail);
}

function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, {
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "medium" });

/** A time as a list shows it: others than today's with the day. */
export function timeWords(text, now = new Date()) {
  const time = new Date(text);
  return (time.toDateString() === now.toDateString() ? clock : day).format(time);
}

/** A time to the millisecond. */
export function exactTimeWords(text) {
  return exact.format(new Date(text));
}

/** A time with its day, in full. */
export function wholeTimeWords(text) {
  return whole.format(new Date(text));
}

/** How much later: `+12 ms`, `+3.4 s`, `+2 min`. */
export function laterWords(from, to) {
  const milliseconds = new Date(to) - new Date(from);
  if (milliseconds < 1_000) return `+${milliseconds} ms`;
  if (milliseconds < 60_000) return `+${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds < 7_200_000) return `+${Math.round(milliseconds / 60_000)} min`;
  return `+${Math.round(milliseconds / 3_600_000)} h`;
}
