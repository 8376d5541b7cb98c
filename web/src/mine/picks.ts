// Beside fields that take links of pictures: my own pictures, to be put in by pressing them.

import { button } from "../parts/buttons";
import { tn, t } from "../parts/words";
import { type Mine, pictures } from "./store";

const MOST_SHOWN = 200;

/** Offer my pictures for each field of `fields`; nothing is shown where this browser remembers none. */
export async function offerPicks(fields: Iterable<HTMLTextAreaElement>): Promise<void> {
  const mine = (await pictures()).filter((one) => !one.gone).slice(0, MOST_SHOWN);
  if (mine.length === 0) return;
  for (const field of fields) (field.closest("p") ?? field).after(offer(field, mine));
}

function offer(field: HTMLTextAreaElement, mine: Mine[]): HTMLDetailsElement {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const list = document.createElement("ul");
  list.className = "picks";
  summary.textContent = t("Choose from my images");
  details.append(summary, list);
  list.append(...mine.map((one) => pick(field, one, summary)));
  return details;
}

function pick(field: HTMLTextAreaElement, one: Mine, summary: HTMLElement): HTMLLIElement {
  const item = document.createElement("li");
  const name = one.title ?? one.filename;
  const press = button("", () => {
    const lines = linesOf(field);
    const isIn = lines.includes(one.url);
    field.value = (isIn ? lines.filter((line) => line !== one.url) : [...lines, one.url]).join("\n");
    press.setAttribute("aria-pressed", String(!isIn));
    summary.textContent = tn("{count} image in the list", "{count} images in the list", linesOf(field).length);
  }, { className: "quiet", label: name });
  press.setAttribute("aria-pressed", String(linesOf(field).includes(one.url)));
  press.append(shown(one, name));
  item.append(press);
  return item;
}

function shown(one: Mine, name: string): Node {
  if (!one.thumbnail) return document.createTextNode(name);
  const image = new Image(88, 88);
  image.loading = "lazy";
  image.alt = "";
  image.src = one.thumbnail;
  return image;
}

function linesOf(field: HTMLTextAreaElement): string[] {
  return field.value.split("\n").map((line) => line.trim()).filter(Boolean);
}
