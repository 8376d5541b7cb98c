// Times of day in the viewer's time zone. The server writes them in UTC, for pages without a script.

import { locale, t } from "./messages";

/** Rewrite the times in elements with `data-expires`, which has the time left in words. */
export function showLocalTimes(): void {
  const format = new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeStyle: "short" });
  for (const line of document.querySelectorAll<HTMLElement>("[data-expires]")) {
    const time = line.querySelector("time");
    if (!time) continue;
    const values = { date: format.format(new Date(time.dateTime)), in_span: line.dataset["expires"] ?? "" };
    time.textContent = t("{date} ({in_span})", values);
  }
}
