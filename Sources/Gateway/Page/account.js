// The account: what is on it, and what is put on it.

import { call, insist, Problem } from "./api.js";
import { announce, byId, setText } from "./dom.js";
import { Draft } from "./drafts.js";
import { FormError, onSubmit } from "./forms.js";
import { AmountError, decimalText, exponentOf, formatAmount, parseAmount } from "./money.js";
import { problemWords } from "./words.js";

/** A user's account, in its card. */
export class AccountCard {
  #path;
  #userId;
  #account = null;
  #changed;
  #draft;
  #card = byId("account");
  #balance = byId("balance");
  #about = byId("account-about");
  #form = byId("deposit-form");
  #unknown = byId("account-unknown");

  /** `changed()` is called when money was put on it. */
  constructor(userId, changed) {
    this.#userId = userId;
    this.#path = `/v1/accounts/${encodeURIComponent(userId)}`;
    this.#changed = changed;
    this.#draft = new Draft(`deposit.${userId}`);
    onSubmit(this.#form, (say) => this.#deposit(say), () => this.currency);
    byId("account-open").onclick = () => this.#open();
  }

  /** The account as it was last seen; null before that, and when there is none. */
  get account() {
    return this.#account;
  }

  /** Its currency; undefined when that is not known. */
  get currency() {
    return this.#account?.currency;
  }

  /** Looks how it stands. A Problem when that cannot be found out now. */
  async refresh() {
    try {
      this.#show(await call("GET", this.#path, { quiet: true }));
    } catch (problem) {
      if (problem.reason !== "NO_ACCOUNT") throw problem;
      this.#show(null);
    }
  }

  #show(account) {
    if (!this.#card.isConnected) return;
    const before = this.#account;
    this.#account = account;
    this.#card.dataset.state = account ? "open" : "unknown";
    this.#form.hidden = !account;
    this.#unknown.hidden = Boolean(account);
    byId("order-card").hidden = !account;
    setText(this.#balance, account ? formatAmount(account.balance, account.currency) : "—");
    setText(this.#about, account ? currencyName(account.currency) : "No account");
    if (!account) return;
    if (before && before.balance !== account.balance) this.#flash(account.balance > before.balance);
    for (const unit of document.querySelectorAll("[data-unit]")) setText(unit, account.currency);
    for (const input of document.querySelectorAll(".money input")) {
      input.inputMode = exponentOf(account.currency) === 0 ? "numeric" : "decimal";
      input.placeholder = decimalText(0, account.currency);
    }
  }

  #flash(rises) {
    this.#balance.removeAttribute("data-moved");
    // Read, so that the browser sees the attribute go before it comes back.
    void this.#balance.offsetWidth;
    this.#balance.dataset.moved = rises ? "up" : "down";
  }

  async #deposit(say) {
    const input = byId("deposit-amount");
    const amount = amountIn(input, this.#account);
    const key = this.#draft.idFor({ amount });
    try {
      const deposit = await insist("POST", `${this.#path}/deposits`, { body: { amount }, key }, () =>
        say("No answer yet. Trying again…"),
      );
      this.#draft.clear();
      input.value = "";
      say(`${formatAmount(deposit.amount, deposit.currency)} added.`);
      this.#changed();
    } catch (problem) {
      if (problem instanceof Problem && !problem.isTemporary) this.#draft.clear();
      throw problem;
    }
  }

  async #open() {
    const button = byId("account-open");
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await insist("POST", "/v1/accounts", { body: { userId: this.#userId } });
    } catch (problem) {
      if (problem.reason !== "ACCOUNT_EXISTS") {
        setText(byId("account-unknown-error"), problemWords(problem));
        return;
      }
    } finally {
      button.removeAttribute("aria-busy");
    }
    announce("The account is open.");
    this.#changed();
    await this.refresh().catch(() => {});
    byId("deposit-amount").focus();
  }
}

/** The amount in a field of money, in minor units of the account's currency. */
export function amountIn(input, account) {
  if (!account) throw new Problem(0);
  try {
    return parseAmount(input.value, account.currency);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    throw new FormError([{ pointer: "/amount", detail: error.message }]);
  }
}

/** What a currency is called in the page's language. */
export function currencyName(code) {
  return new Intl.DisplayNames(["en"], { type: "currency" }).of(code);
}
