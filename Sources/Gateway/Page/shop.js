// What one user sees: the account, a new order, and what became of the others.

import { AccountCard, amountIn } from "./account.js";
import { insist, Problem } from "./api.js";
import { confirmed } from "./dialogs.js";
import { announce, byId, part, setText, throttled } from "./dom.js";
import { Draft } from "./drafts.js";
import { onSubmit } from "./forms.js";
import { OrderWatch } from "./live.js";
import { decimalText, formatAmount, parseAmount } from "./money.js";
import { OrderList } from "./orders.js";
import { Statement } from "./statement.js";
import { setUpTabs } from "./tabs.js";
import { orderName, problemWords } from "./words.js";

/** Many orders of a moment move the money once. */
const MONEY_MS = 300;
/** A connection that is back by then was hardly gone. */
const NOTICE_MS = 800;

/** The page of a user, from its showing until ``close``. */
export class Shop {
  #userId;
  #account;
  #orders;
  #statement;
  #watch;
  #notice = null;
  #wasLost = false;

  /** `askAgain()` is called when somebody wants to give another token. */
  constructor(user, askAgain) {
    this.#userId = user.id;
    const moneyMoved = throttled(() => this.#refreshMoney(), MONEY_MS);
    this.#account = new AccountCard(user.id, moneyMoved);
    this.#orders = new OrderList(user.id, {
      changed: moneyMoved,
      again: (order) => this.#prefill(order),
      confirmCancel: (order) => this.#confirmCancel(order),
    });
    this.#statement = new Statement(user.id, (id) => this.#orders.get(id));
    setUpTabs(document.querySelector("[role=tablist]"), (panel) => {
      if (panel.id === "panel-entries") this.#statement.refresh();
    });
    this.#setUpOrderForm();
    this.#watch = new OrderWatch(user.id, {
      catchUp: () => Promise.all([this.#account.refresh(), this.#orders.catchUp(), this.#refreshStatement()]),
      order: (order) => this.#orders.put(order),
      state: (name, problem) => this.#showConnection(name, problem),
    });
    byId("notice").querySelector("button").onclick = () => {
      if (byId("notice").dataset.wants === "token") askAgain();
      this.#watch.hurry();
    };
    this.#watch.run();
  }

  /** Ends it. */
  close() {
    this.#watch.stop();
    clearTimeout(this.#notice);
    byId("notice").hidden = true;
  }

  async #refreshMoney() {
    // When it fails, the watch does so as well, and says it.
    await Promise.allSettled([this.#account.refresh(), this.#refreshStatement()]);
    this.#warn();
  }

  async #refreshStatement() {
    if (!byId("panel-entries")?.hidden) await this.#statement.refresh();
  }

  // Connection

  #showConnection(state, problem) {
    const live = byId("live");
    live.dataset.state = state;
    setText(part(live, "text"), state === "live" ? "Live" : "Not live");
    clearTimeout(this.#notice);
    if (state === "live") {
      byId("notice").hidden = true;
      if (this.#wasLost) announce("Connected again. Everything is up to date.");
      this.#wasLost = false;
      return;
    }
    if (this.#wasLost) return this.#showNotice(problem);
    this.#notice = setTimeout(() => {
      this.#wasLost = true;
      this.#showNotice(problem);
      announce(part(byId("notice"), "text").textContent);
    }, NOTICE_MS);
  }

  #showNotice(problem) {
    const notice = byId("notice");
    const wantsToken = problem.status === 401 || problem.status === 403;
    notice.dataset.wants = wantsToken ? "token" : "time";
    setText(part(notice, "text"), wantsToken ? problemWords(problem) : "Connection lost. Reconnecting…");
    setText(part(notice, "action"), wantsToken ? "Enter a token" : "Try now");
    notice.hidden = false;
  }

  // Orders

  #setUpOrderForm() {
    const form = byId("order-form");
    const draft = new Draft(`order.${this.#userId}`);
    const amountInput = byId("order-amount");
    const descriptionInput = byId("order-description");
    onSubmit(
      form,
      async (say) => {
        const amount = amountIn(amountInput, this.#account.account);
        const description = descriptionInput.value.trim();
        const order = { userId: this.#userId, amount, currency: this.#account.currency, description };
        const body = { ...order, id: draft.idFor(order) };
        try {
          const taken = await insist("POST", "/v1/orders", { body }, () => say("No answer yet. Trying again…"));
          draft.clear();
          form.reset();
          this.#warn();
          this.#orders.put(taken);
          say(`Order taken: ${orderName(taken)}, ${formatAmount(taken.amount, taken.currency)}.`);
          descriptionInput.focus();
        } catch (problem) {
          if (problem instanceof Problem && !problem.isTemporary) draft.clear();
          throw problem;
        }
      },
      () => this.#account.currency,
    );
    amountInput.addEventListener("input", () => this.#warn());
  }

  /** Says when an order costs more than there is. It may be placed: more money may come first. */
  #warn() {
    const { account } = this.#account;
    const warning = byId("order-warning");
    if (!account || !warning) return;
    let amount = 0;
    try {
      amount = parseAmount(byId("order-amount").value, account.currency);
    } catch {
      // Told when it is sent.
    }
    const balance = formatAmount(account.balance, account.currency);
    setText(warning, amount > account.balance ? `More than the ${balance} on the account: it would not be paid.` : "");
  }

  #prefill(order) {
    byId("order-description").value = order.description;
    const amount = byId("order-amount");
    amount.value = decimalText(order.amount, order.currency);
    this.#warn();
    amount.focus();
    amount.select();
  }

  #confirmCancel(order) {
    const amount = formatAmount(order.amount, order.currency);
    return order.status === "FINISHED"
      ? confirmed(`${orderName(order)} is paid. ${amount} will be back on the account.`, "Cancel and refund")
      : confirmed(`${orderName(order)}, ${amount}. If it is paid meanwhile, the money comes back.`, "Cancel the order");
  }
}
