// Problem details of the API in the language of the page, by their code, from the sentences that the server's pages use.

import { size, timeOf } from "./formatting";
import { locale } from "./messages";

declare global {
  // Set by the script of the page's language. In English only for what the API says to programmers, and for limits, which are there
  // by their policies. What shares its code with other problems is there by its English text.
  var applianceProblems: Record<string, string[]> | undefined;
}

/** Problem details (RFC 9457), as far as they are shown. */
export interface ProblemDetails {
  code?: string;
  title?: string;
  /** For people, in English. */
  detail?: string;
  limit?: number;
  actual?: number;
  /** Of a limit: its name, what is left of it, and how long to wait for more. */
  policy?: string | null;
  left?: number;
  retry_after_s?: number | null;
  /** Until when what is gone can be restored; only its owner is told. */
  restorable_until?: string;
  /** Of a ban: why, perhaps empty, and until when; null for good. */
  reason?: string;
  until?: string | null;
  /** Of a proof of work that is asked for. */
  challenge?: unknown;
}

/** Text for people, and its language; whatever shows the text marks it where that isn't the page's language. */
export interface LocalizedText {
  text: string;
  lang: string;
}

const ENGLISH = "en";
const UNITS_S = [["days", 86_400], ["hours", 3600], ["minutes", 60]] as const;

/** The problem in the page's language, or in the API's English if there is no translation. */
export function localizeProblem(problem: ProblemDetails): LocalizedText {
  const figures = figuresOf(problem);
  const problems = globalThis.applianceProblems ?? {};
  const particular = Object.keys(problems).find((english) => says(english, problem.detail ?? ""));
  for (const sentence of problems[particular ?? problem.policy ?? ""] ?? problems[problem.code ?? ""] ?? []) {
    const names = [...sentence.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "");
    if (names.some((name) => !figures.has(name))) continue;
    const text = sentence.replace(/\{(\w+)\}/g, (_, name: string) => figures.get(name) ?? "");
    return { text, lang: pageLanguage() };
  }
  return { text: problem.detail ?? problem.title ?? problem.code ?? "", lang: ENGLISH };
}

/** Whether the detail is this English text, whatever its figures are. */
function says(english: string, detail: string): boolean {
  const [start = "", ...others] = english.split(/\{\w+\}/);
  return others.length ? detail.startsWith(start) && detail.endsWith(others.at(-1) ?? "") : detail === english;
}

export const pageLanguage = (): string => document.documentElement.lang;

/** Show the text in `place`, marked with its language if that isn't the page's. */
export function showText(place: HTMLElement, { text, lang }: LocalizedText): void {
  place.textContent = text;
  if (lang === pageLanguage()) place.removeAttribute("lang");
  else place.lang = lang;
}

function figuresOf({ limit, actual, left, reason, until, retry_after_s: wait }: ProblemDetails): Map<string, string> {
  const figures = new Map<string, string>();
  if (reason) figures.set("reason", reason);
  if (until) figures.set("until", new Date(until).toLocaleString(locale(), { dateStyle: "long", timeStyle: "short" }));
  if (wait) figures.set("time", timeOf(new Date(Date.now() + wait * 1000)));
  const number = new Intl.NumberFormat(locale());
  for (const [name, value] of Object.entries({ limit, actual, left })) {
    if (value === undefined) continue;
    figures.set(name, number.format(value));
    figures.set(`${name}_size`, size(value));
    const [unit, seconds] = UNITS_S.find(([, unitS]) => value >= 2 * unitS) ?? ["seconds", 1];
    figures.set(`${name}_${unit}`, number.format(Math.floor(value / seconds)));
  }
  return figures;
}
