// Whom this browser knows: a list in its local storage.

import { shortId } from "./ids.js";
import { lasting } from "./storage.js";

const LIST = "gozon.users";
const CURRENT = "gozon.user";

/** Everybody, as `{id, name}`, whoever was used last first. */
export function knownUsers() {
  try {
    const users = JSON.parse(lasting.get(LIST)) ?? [];
    return users.filter((user) => typeof user?.id === "string");
  } catch {
    return [];
  }
}

/** Who is using the page; undefined for nobody. */
export function currentUser() {
  const id = lasting.get(CURRENT);
  return knownUsers().find((user) => user.id === id);
}

/** Makes somebody the current user, and remembers them. */
export function rememberUser(user) {
  const others = knownUsers().filter((other) => other.id !== user.id);
  lasting.set(LIST, JSON.stringify([user, ...others]));
  lasting.set(CURRENT, user.id);
}

/** Forgets somebody; the account itself stays as it is. */
export function forgetUser(id) {
  lasting.set(LIST, JSON.stringify(knownUsers().filter((user) => user.id !== id)));
  if (lasting.get(CURRENT) === id) lasting.remove(CURRENT);
}

/** What to call somebody. */
export function nameOf(user) {
  return user.name || `Account ${shortId(user.id)}`;
}
