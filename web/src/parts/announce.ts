// Short words that come and go at the foot of the page; screen readers speak them, for the place is a live region.

const STAYS_MS = 4000;
let clearing: ReturnType<typeof setTimeout> | undefined;

interface Manner {
  /** Something to press beside it. */
  action?: Node;
  staysMs?: number;
  /** The language of the words, where it may be another than the page's. */
  lang?: string;
}

/** Say it; it goes after `staysMs`, or when the next thing is said. */
export function announce(words: string, { action, staysMs = STAYS_MS, lang }: Manner = {}): void {
  const place = document.querySelector("dialog[open] .toast") ?? document.querySelector("#toast");
  if (!place) return;
  clearTimeout(clearing);
  replace(place, lang === undefined ? words : spoken(words, lang), ...(action ? [action] : []));
  clearing = setTimeout(() => replace(place), staysMs);
}

function spoken(words: string, lang: string): HTMLElement {
  const made = document.createElement("span");
  made.lang = lang;
  made.textContent = words;
  return made;
}

/** Whoever stands on a button that goes is not to be thrown to the top of the page. */
function replace(place: Element, ...nodes: (Node | string)[]): void {
  const stoodHere = place.contains(document.activeElement);
  place.replaceChildren(...nodes);
  if (stoodHere) document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
}
