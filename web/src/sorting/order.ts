// Sorting a list.

import type { Move } from "../parts/album-api";

export type Way = "top" | "up" | "down" | "bottom";

/** Move by one position; false at the end of the list. The item stays where it is in the document, so a pointer keeps it. */
export function moveItem(item: HTMLLIElement, by: number): boolean {
  const neighbour = by < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!neighbour) return false;
  if (by < 0) item.after(neighbour);
  else item.before(neighbour);
  return true;
}

/** The items when `moved` go that way; they keep their order among themselves. */
export function moved<Item>(items: readonly Item[], moved: readonly Item[], way: Way): Item[] {
  const isMoved = (item: Item | undefined): boolean => item !== undefined && moved.includes(item);
  const rest = items.filter((item) => !isMoved(item));
  if (way === "top") return [...moved, ...rest];
  if (way === "bottom") return [...rest, ...moved];
  if (way === "down") return swapped([...items].reverse(), isMoved).reverse();
  return swapped([...items], isMoved);
}

/** Each moved item changes places with the one before it, unless that is moved too. */
function swapped<Item>(items: Item[], isMoved: (item: Item | undefined) => boolean): Item[] {
  for (let place = 1; place < items.length; place += 1) {
    const [before, item] = [items[place - 1] as Item, items[place] as Item];
    if (isMoved(item) && !isMoved(before)) [items[place - 1], items[place]] = [item, before];
  }
  return items;
}

/** What puts the images that were `moved` where they are in `wanted`, whatever others do with the rest. */
export function movesTo(wanted: readonly string[], moved: ReadonlySet<string>): Move[] {
  const moves = wanted.map((image, place) => ({ image, after: wanted[place - 1] ?? null }));
  return moves.filter(({ image }) => moved.has(image));
}

/** Set the form's numbers to the positions in the list. */
export function renumber(list: HTMLOListElement): void {
  [...list.querySelectorAll<HTMLInputElement>("input.place")].forEach((field, place) => {
    field.value = String(place + 1);
  });
}

export function slugOf(item: HTMLElement): string {
  return item.dataset["slug"] ?? "";
}

export function slugsOf(list: HTMLOListElement): string[] {
  return [...list.querySelectorAll<HTMLLIElement>("li")].map(slugOf);
}
