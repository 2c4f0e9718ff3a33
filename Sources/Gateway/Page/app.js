// The page: who uses it, and what they see.

import { currentToken, setToken, setTokenSource } from "./api.js";
import { askForToken, chooseUser, setUpDialogs } from "./dialogs.js";
import { announce, byId, part, setText } from "./dom.js";
import { Shop } from "./shop.js";
import { currentUser, forgetUser, knownUsers, nameOf, rememberUser } from "./users.js";
import { setUpWelcome } from "./welcome.js";

const main = byId("main");
const userButton = byId("user-button");
let shop = null;

/** Shows what the current user sees, or how to become one. */
function show() {
  const user = currentUser();
  if (user) showShop(user);
  else showWelcome();
}

function showShop(user) {
  shop?.close();
  main.replaceChildren(byId("shop").content.cloneNode(true));
  userButton.hidden = false;
  setText(part(userButton, "name"), nameOf(user));
  setText(part(userButton, "initial"), nameOf(user).charAt(0).toUpperCase());
  document.title = `${nameOf(user)} · Gozon`;
  shop = new Shop(user, async () => {
    const token = await askForToken(currentToken() !== null);
    if (token) setToken(token);
    show();
  });
}

function showWelcome() {
  shop?.close();
  shop = null;
  main.replaceChildren(byId("welcome").content.cloneNode(true));
  const canGoBack = Boolean(currentUser());
  userButton.hidden = knownUsers().length === 0;
  if (!canGoBack) {
    setText(part(userButton, "name"), "Choose");
    setText(part(userButton, "initial"), "?");
  }
  document.title = "Gozon";
  setUpWelcome({
    done(user, { isNew }) {
      const known = knownUsers().find((other) => other.id === user.id);
      rememberUser({ id: user.id, name: user.name || known?.name || "" });
      show();
      announce(isNew ? "The account is open." : `Showing ${nameOf(currentUser())}.`);
      byId(isNew ? "deposit-amount" : "order-description").focus();
    },
    back: canGoBack ? show : null,
  });
}

async function switchUser() {
  const choice = await chooseUser(currentUser(), currentToken() !== null);
  const user = knownUsers().find((known) => known.id === choice.use);
  if (user) {
    if (user.id === currentUser()?.id && shop) return;
    rememberUser(user);
    show();
    announce(`Showing ${nameOf(user)}.`);
  } else if (choice.add) {
    showWelcome();
    byId("open-title").focus();
  } else if (choice.forgetToken) {
    setToken(null);
    show();
  } else if (choice.forget) {
    const wasCurrent = choice.forget === currentUser()?.id;
    forgetUser(choice.forget);
    if (wasCurrent && knownUsers().length) rememberUser(knownUsers()[0]);
    if (wasCurrent || !shop) show();
    if (knownUsers().length) await switchUser();
    else byId("open-title").focus();
  }
}

setUpDialogs();
setTokenSource(askForToken);
userButton.addEventListener("click", switchUser);
show();
