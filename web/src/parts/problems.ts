// A problem of the API in the words of the page: by its code, from the sentences that the server has for its own pages.

import { size } from "./figures";
import { locale } from "./words";

declare global {
  // Set by the script of the page's language; English has none, for the API's own words are English.
  var applianceProblems: Record<string, string[]> | undefined;
}

/** What the API says of a problem, as far as words need it. */
export interface Problematic {
  code?: string;
  title?: string;
  /** For people, in English. */
  detail?: string;
  limit?: number;
  actual?: number;
}

/** Words for a person, and their language: where it is not the page's, what shows them says so in `lang`. */
export interface Told {
  words: string;
  lang: string;
}

const ENGLISH = "en";
const DAY_S = 86_400;

/** The problem in the page's language, or in the API's English where the page has no words for it. */
export function told(problem: Problematic): Told {
  const figures = figuresOf(problem);
  for (const sentence of globalThis.applianceProblems?.[problem.code ?? ""] ?? []) {
    const wanted = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
    if (wanted.some((name) => !figures.has(name))) continue;
    return { words: sentence.replace(/\{(\w+)\}/g, (_, name: string) => figures.get(name) ?? ""), lang: lang() };
  }
  return { words: problem.detail ?? problem.title ?? problem.code ?? "", lang: ENGLISH };
}

/** The page's own language. */
export const lang = (): string => document.documentElement.lang;

/** Show what was told in `place`, marked where it is in another language than the page. */
export function tell(place: HTMLElement, { words, lang: spoken }: Told): void {
  place.textContent = words;
  if (spoken === lang()) place.removeAttribute("lang");
  else place.lang = spoken;
}

function figuresOf({ limit, actual }: Problematic): Map<string, string> {
  const figures = new Map<string, string>();
  const number = new Intl.NumberFormat(locale());
  for (const [name, value] of Object.entries({ limit, actual })) {
    if (value === undefined) continue;
    figures.set(name, number.format(value));
    figures.set(`${name}_size`, size(value));
    figures.set(`${name}_days`, number.format(Math.floor(value / DAY_S)));
  }
  return figures;
}
