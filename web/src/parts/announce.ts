// Short messages at the bottom of the page. They are in a live region, so screen readers speak them.

const STAYS_MS = 4000;
let clearing: ReturnType<typeof setTimeout> | undefined;

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
