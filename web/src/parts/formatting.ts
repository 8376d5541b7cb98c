// Sizes and durations as text, in the same form as the server's pages.

import { locale, tn } from "./messages";

export const DAY_MS = 86_400_000;
const UNITS = ["KB", "MB", "GB", "TB", "PB"];

/** Decimal units with two or three digits: 829 KB, 1.2 MB. */
export function size(bytes: number): string {
  if (bytes < 1000) return tn("{count} byte", "{count} bytes", bytes);
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const figures = new Intl.NumberFormat(locale(), {
    maximumFractionDigits: value >= 10 ? 0 : 1,
    useGrouping: false,
  });
  return `${figures.format(value)} ${UNITS[unit]}`;
}

const day = new Intl.DateTimeFormat(locale(), { dateStyle: "medium" });
const moment = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" });

/** The day of a time (RFC 3339), and the time of day if it is less than a day away. */
export const dateOf = (time: string): string => (Math.abs(Date.parse(time) - Date.now()) < DAY_MS ? moment : day).format(Date.parse(time));

/** A rough duration: 40 s, 12 min, 3 h. */
export function duration(seconds: number): string {
  const [value, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: 0,
  }).format(Math.max(1, Math.ceil(value)));
}

/** The time of day, with the seconds if it is soon and the date if it is another day. */
export function timeOf(when: Date): string {
  const isSoon = when.getTime() - Date.now() < 120_000;
  const dateStyle = when.toDateString() === new Date().toDateString() ? undefined : "medium";
  return new Intl.DateTimeFormat(locale(), { dateStyle, timeStyle: isSoon ? "medium" : "short" }).format(when);
}
