// Where somebody begins: with a new account, or one that there is.

import { call, currentToken, insist, Problem } from "./api.js";
import { currencyName } from "./account.js";
import { byId } from "./dom.js";
import { Draft } from "./drafts.js";
import { FormError, onSubmit } from "./forms.js";
import { isUUID } from "./ids.js";

/** The most traded ones; an account may be in any other by the API. */
const CURRENCIES = ["RUB", "AED", "AMD", "AUD", "BRL", "BYN", "CAD", "CHF", "CNY", "EUR", "GBP", "GEL", "INR", "JPY", "KRW", "KWD", "KZT", "RSD", "TND", "TRY", "USD"];

/** Fills in the page's beginning; `done(user)` is called with whoever is to use it, `back()` with nobody. */
export function setUpWelcome({ done, back }) {
  const select = byId("open-currency");
  select.append(new Option("The shop’s own", ""));
  for (const code of CURRENCIES) select.append(new Option(`${code} – ${currencyName(code)}`, code));

  const draft = new Draft("account");
  onSubmit(byId("open-form"), async (say) => {
    const currency = select.value || undefined;
    const userId = draft.idFor({ currency });
    try {
      const account = await open(userId, currency, () => say("No answer yet. Trying again…"));
      draft.clear();
      done({ id: account.userId, name: byId("open-name").value.trim() }, { isNew: true });
    } catch (problem) {
      if (problem instanceof Problem && !problem.isTemporary && problem.status !== 401) draft.clear();
      throw problem;
    }
  });

  onSubmit(byId("use-form"), async () => {
    const id = byId("use-id").value.trim().toLowerCase();
    if (!isUUID(id)) throw unknownAccount("Enter an account’s number: 36 characters such as 01a21e3c-7749-7ddb-8ef1-9b5c02f585b1.");
    try {
      await call("GET", `/v1/accounts/${id}`);
    } catch (problem) {
      if (problem.reason === "NO_ACCOUNT") throw unknownAccount("The shop has no account with this number.");
      throw problem;
    }
    done({ id, name: byId("use-name").value.trim() }, { isNew: false });
  });

  const button = byId("welcome-back");
  button.hidden = !back;
  button.onclick = back;
}

/** Opens an account; one that an earlier attempt has opened will do. Whoever has a token gets that of the token. */
async function open(userId, currency, onRetry) {
  try {
    return await insist("POST", "/v1/accounts", { body: { userId, currency } }, onRetry);
  } catch (problem) {
    if (problem.reason === "ACCOUNT_EXISTS") return call("GET", `/v1/accounts/${userId}`);
    const subject = subjectOf(currentToken());
    if (problem.status === 403 && subject && subject !== userId) return open(subject, currency, onRetry);
    throw problem;
  }
}

/** Whom a JSON Web Token was made for (RFC 7519 section 4.1.2), where that is a user's id. */
function subjectOf(token) {
  try {
    const { sub } = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
    return isUUID(sub) ? sub : null;
  } catch {
    return null;
  }
}

function unknownAccount(detail) {
  return new FormError([{ pointer: "/userId", detail }]);
}
