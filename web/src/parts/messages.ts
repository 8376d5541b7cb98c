// Messages of scripts in the language of the page. `make words` collects the arguments of `t` and `tn` into web/locale.

declare global {
  // Set by the script of the page's language; English has none.
  var applianceMessages: Record<string, string | string[]> | undefined;
  var appliancePlural: ((count: number) => number) | undefined;
}

type Values = Record<string, string | number>;

const filled = (message: string, values: Values): string =>
  message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The locale of numbers, dates and lists. English pages use British English, as the server does. */
export const locale = (): string => (document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang);

/** The message in the page's language, each {name} in it replaced by its value. */
export function t(message: string, values: Values = {}): string {
  const translated = globalThis.applianceMessages?.[message];
  return filled(typeof translated === "string" ? translated : message, values);
}

/** The message for one or for many; {count} is filled in. */
export function tn(one: string, many: string, count: number, values: Values = {}): string {
  const translated = globalThis.applianceMessages?.[one];
  const forms = Array.isArray(translated) ? translated : [one, many];
  const form = globalThis.appliancePlural?.(count) ?? Number(count !== 1);
  return filled(forms[form] ?? many, { count, ...values });
}
