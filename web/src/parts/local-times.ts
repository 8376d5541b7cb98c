// Times of day in the viewer's time zone. The server writes them in UTC, for pages without a script.

import { DAY_MS } from "./formatting";
import { locale, t } from "./messages";

const day = new Intl.DateTimeFormat(locale(), { dateStyle: "long" });
const moment = new Intl.DateTimeFormat(locale(), { dateStyle: "long", timeStyle: "short" });
const shortMoment = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }); // a menu on a phone has no room for more

/** The day of a time (RFC 3339), and the time of day if it is less than two days away, as on the server's pages. */
export const dayOrMoment = (time: string): string => (Date.parse(time) - Date.now() < 2 * DAY_MS ? moment : day).format(Date.parse(time));

/**
 * Rewrite the times in elements with `data-expires`, which has the time left in words, those in elements with
 * `data-moments`, and the choice that leaves an expiry as it is.
 */
export function showLocalTimes(): void {
  for (const line of document.querySelectorAll<HTMLElement>("[data-expires]")) {
    const time = line.querySelector("time");
    if (!time) continue;
    const values = { date: moment.format(new Date(time.dateTime)), in_span: line.dataset["expires"] ?? "" };
    time.textContent = t("{date} ({in_span})", values);
  }
  for (const time of document.querySelectorAll<HTMLTimeElement>("[data-moments] time")) time.textContent = moment.format(new Date(time.dateTime));
  for (const option of document.querySelectorAll<HTMLOptionElement>("option[data-moment]")) {
    option.textContent = t("no change ({date})", { date: shortMoment.format(new Date(option.dataset["moment"] ?? "")) });
  }
}
