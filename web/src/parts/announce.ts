// Short messages at the bottom of the page, and ones that are only spoken. Both are in live regions, for screen readers.

const STAYS_MS = 4000;
let clearing: ReturnType<typeof setTimeout> | undefined;
let silencing: ReturnType<typeof setTimeout> | undefined;

interface Options {
  /** A button next to the message. */
  action?: Node;
  staysMs?: number;
  /** The language of the message if it may differ from the page's. */
  lang?: string;
}

/** Show the message for `staysMs`, or until the next one. */
export function announce(message: string, { action, staysMs = STAYS_MS, lang }: Options = {}): void {
  const place = document.querySelector("dialog[open] .toast") ?? document.querySelector("#toast");
  if (!place) return;
  clearTimeout(clearing);
  replace(place, lang === undefined ? message : withLanguage(message, lang), ...(action ? [action] : []));
  clearing = setTimeout(() => replace(place), staysMs);
}

/** Say to screen readers what everybody else sees; a page without a place for that shows it. */
export function say(message: string, lang?: string): void {
  const place = document.querySelector("#spoken");
  if (!place || document.querySelector("dialog[open]")) return announce(message, lang === undefined ? {} : { lang });
  clearTimeout(silencing);
  place.replaceChildren(lang === undefined ? message : withLanguage(message, lang));
  silencing = setTimeout(() => place.replaceChildren(), STAYS_MS); // so that the same message can be said again
}

function withLanguage(message: string, lang: string): HTMLElement {
  const made = document.createElement("span");
  made.lang = lang;
  made.textContent = message;
  return made;
}

/** Replace the content. If the focus was in it, it moves to the main content, not to the top of the page. */
function replace(place: Element, ...nodes: (Node | string)[]): void {
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(...nodes);
  if (hadFocus) document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
}
