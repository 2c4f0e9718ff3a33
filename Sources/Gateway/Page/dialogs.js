// The page's dialogs. The browser keeps the focus inside, closes them on Escape, and gives the focus back.

import { arrange, byId, fromTemplate, part, setText } from "./dom.js";
import { clear, FormError, onSubmit } from "./forms.js";
import { knownUsers, nameOf } from "./users.js";

/** Shows a dialog; what it was closed with: empty when it was closed without an answer. */
function show(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/** Makes every dialog close by its button, and by a click beside it. */
export function setUpDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close("");
    });
  }
  byId("confirm-yes").addEventListener("click", () => byId("confirm-dialog").close("yes"));
  const form = byId("token-form");
  onSubmit(form, async () => {
    const token = byId("token").value.trim().replace(/^Bearer\s+/i, "");
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new FormError([{ pointer: "/token", detail: "Enter a token: letters, digits and signs without blanks." }]);
    }
    byId("token-dialog").close(token);
  });
}

/** Asks whether something is really to be done; `yes` names that. */
export async function confirmed(text, yes) {
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes").firstElementChild, yes);
  return (await show(byId("confirm-dialog"))) === "yes";
}

/** Asks for a token; null when there is none. */
export async function askForToken(wasRefused) {
  byId("token").value = "";
  clear(byId("token-form"));
  const known = "It is remembered until this tab is closed.";
  setText(
    byId("token-text"),
    wasRefused ? `The shop did not take this token, or takes it no more. Give it another one. ${known}` : `This shop wants a token. ${known}`,
  );
  return (await show(byId("token-dialog"))) || null;
}

/** Lets somebody choose among the users; `{use: id}`, `{forget: id}`, `{add: true}`, `{forgetToken: true}` or `{}`. */
export async function chooseUser(current, hasToken) {
  const dialog = byId("users-dialog");
  const answer = (value) => dialog.close(JSON.stringify(value));
  arrange(
    byId("users"),
    knownUsers().map((user) => {
      const row = fromTemplate("user-row");
      setText(part(row, "name"), nameOf(user));
      setText(part(row, "initial"), nameOf(user).charAt(0).toUpperCase());
      setText(part(row, "id"), user.id);
      setText(part(row, "whom"), ` ${nameOf(user)}`);
      if (user.id === current?.id) part(row, "choose").setAttribute("aria-current", "true");
      part(row, "choose").onclick = () => answer({ use: user.id });
      part(row, "forget").onclick = () => answer({ forget: user.id });
      return row;
    }),
  );
  byId("users-token").hidden = !hasToken;
  byId("users-add").onclick = () => answer({ add: true });
  byId("users-token").onclick = () => answer({ forgetToken: true });
  return JSON.parse((await show(dialog)) || "{}");
}
