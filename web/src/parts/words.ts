// What scripts say, in the language of the page: `t` and `tn` are collected into web/locale by `make words`.

declare global {
  // Set by the script of the page's language; English has none.
  var applianceMessages: Record<string, string | string[]> | undefined;
}

type Values = Record<string, string | number>;

const filled = (message: string, values: Values): string =>
  message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** The language of figures, dates and lists: English pages write them as the server does, the British way. */
export const locale = (): string => (document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang);

/** The message in the page's language, each {name} in it replaced by its value. */
export function t(message: string, values: Values = {}): string {
  const said = globalThis.applianceMessages?.[message];
  return filled(typeof said === "string" ? said : message, values);
}

/** The message for one or for many; {count} is there without being given. */
export function tn(one: string, many: string, count: number, values: Values = {}): string {
  const said = globalThis.applianceMessages?.[one];
  const forms = Array.isArray(said) ? said : [one, many];
  return filled(forms[count === 1 ? 0 : 1] ?? many, { count, ...values });
}
