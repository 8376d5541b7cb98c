// The order of My images, its groups by date, and what a search finds.

import { locale, t } from "../parts/messages";
import { hasEnded, nameOf } from "./image";
import type { LibraryImage } from "./store";

export type Order = "newest" | "oldest" | "name" | "expiry";

/** Images in a row under one heading; the heading is empty where they have none. */
export interface Group {
  heading: string;
  images: LibraryImage[];
}

type Comparison = (a: LibraryImage, b: LibraryImage) => number;

const names = new Intl.Collator(locale(), { numeric: true, sensitivity: "base" });
const months = new Intl.DateTimeFormat(locale(), { month: "long", year: "numeric" });

const byName: Comparison = (a, b) => names.compare(nameOf(a), nameOf(b));
/** Files that were chosen in the same moment are in the order of their names. */
const byUpload: Comparison = (a, b) =>
  a.uploaded_at === b.uploaded_at ? names.compare(a.filename, b.filename) : a.uploaded_at < b.uploaded_at ? -1 : 1;

const COMPARISONS: Record<Order, Comparison> = {
  newest: (a, b) => byUpload(b, a),
  oldest: byUpload,
  name: (a, b) => byName(a, b) || byUpload(b, a),
  expiry: (a, b) => ending(a) - ending(b) || byUpload(b, a),
};

/** When the image ends, or leaves the bin; those that have ended, or never end, come last. */
function ending(image: LibraryImage): number {
  if (image.restorable_until !== undefined) return Date.parse(image.restorable_until);
  return hasEnded(image) || image.expires_at === null ? Number.MAX_VALUE : Date.parse(image.expires_at);
}

export const inOrder = (images: LibraryImage[], order: Order): LibraryImage[] => [...images].sort(COMPARISONS[order]);

/** The images in the order in which an album should have them: as they were uploaded, unless the list is sorted by name. */
export const inAlbumOrder = (images: LibraryImage[], order: Order): LibraryImage[] =>
  inOrder(images, order === "name" ? "name" : "oldest");

/** Those whose title or file name contains every word of `query`, whatever its case and accents. */
export function matching(images: LibraryImage[], query: string): LibraryImage[] {
  const words = folded(query).split(/\s+/).filter(Boolean);
  if (words.length === 0) return images;
  return images.filter(({ title, filename }) => {
    const text = folded(`${title ?? ""} ${filename}`);
    return words.every((word) => text.includes(word));
  });
}

const folded = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Sorted images in groups by the day or month of their upload, if they are in that order. */
export function grouped(sorted: LibraryImage[], order: Order): Group[] {
  if (order !== "newest" && order !== "oldest") return sorted.length > 0 ? [{ heading: "", images: sorted }] : [];
  const groups = new Map<string, LibraryImage[]>();
  const headingOf = dayNames();
  for (const image of sorted) {
    const heading = headingOf(new Date(image.uploaded_at));
    const found = groups.get(heading);
    if (found) found.push(image);
    else groups.set(heading, [image]);
  }
  return [...groups].map(([heading, images]) => ({ heading, images }));
}

/** A function that names a date: today, yesterday, or its month. Each month is formatted once. */
function dayNames(): (date: Date) => string {
  const now = new Date();
  const today = now.toDateString();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1).toDateString();
  const formatted = new Map<number, string>();
  return (date) => {
    const day = date.toDateString();
    if (day === today) return t("Today");
    if (day === yesterday) return t("Yesterday");
    const month = date.getFullYear() * 12 + date.getMonth();
    const known = formatted.get(month) ?? months.format(date);
    formatted.set(month, known);
    return known;
  };
}
