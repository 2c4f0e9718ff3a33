// The page's elements: found, filled, spoken.

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** A copy of a template's element. */
export function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** The part of an element that is called `name` by `data-part`. */
export function part(element, name) {
  return element.querySelector(`[data-part="${name}"]`);
}

/** Sets a text, if it is another one: what stays the same is not touched, so that nothing is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets a `<time>`. */
export function setTime(element, time, text, title) {
  element.dateTime = time;
  setText(element, text);
  if (title) element.title = title;
}

/** Shows one of the icons of the page's sprite. */
export function setIcon(use, name) {
  use.setAttribute("href", `#icon-${name}`);
}

/** Makes the elements of `list` those of `items`, in their order. Elements that stay are not moved: one may have the focus. */
export function arrange(list, items) {
  const kept = new Set(items);
  for (const element of [...list.children]) if (!kept.has(element)) element.remove();
  let next = list.firstElementChild;
  for (const element of items) {
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}

/** Lets screen readers say something, once they are done with what they are saying. */
export function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  byId("announcer").append(line);
  setTimeout(() => line.remove(), 10_000);
}

/** Runs `work` at most once in `milliseconds`, and a last time after the last call. */
export function throttled(work, milliseconds) {
  let timer = null;
  let again = false;
  const run = () => {
    timer = setTimeout(() => {
      timer = null;
      if (again) run();
    }, milliseconds);
    again = false;
    work();
  };
  return () => {
    if (timer === null) run();
    else again = true;
  };
}
