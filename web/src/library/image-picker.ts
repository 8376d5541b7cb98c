// An image picker below fields that take links: my images, added to the field or removed from it by pressing them.

import { button } from "../parts/buttons";
import { t, tn } from "../parts/messages";
import { hasEnded, nameOf } from "./image";
import { type LibraryImage, listImages } from "./store";

const MAX_SHOWN = 200;

/** Add a picker to each of `fields`; none if this browser has no images. */
export async function offerImages(fields: Iterable<HTMLTextAreaElement>): Promise<void> {
  const images = (await listImages()).filter((image) => !hasEnded(image)).slice(0, MAX_SHOWN);
  if (images.length === 0) return;
  for (const field of fields) (field.closest("p") ?? field).after(createPicker(field, images));
}

function createPicker(field: HTMLTextAreaElement, images: LibraryImage[]): HTMLDetailsElement {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const list = document.createElement("ul");
  list.className = "image-picker";
  summary.textContent = t("Choose from my images");
  details.append(summary, list);
  list.append(...images.map((image) => createItem(field, image, summary)));
  return details;
}

function createItem(field: HTMLTextAreaElement, image: LibraryImage, summary: HTMLElement): HTMLLIElement {
  const item = document.createElement("li");
  const name = nameOf(image);
  const toggle = (): void => {
    const links = linksIn(field);
    const isIn = links.includes(image.url);
    field.value = (isIn ? links.filter((link) => link !== image.url) : [...links, image.url]).join("\n");
    press.setAttribute("aria-pressed", String(!isIn));
    summary.textContent = tn("{count} image in the list", "{count} images in the list", linksIn(field).length);
  };
  const press = button("", toggle, { className: "quiet", label: name });
  press.setAttribute("aria-pressed", String(linksIn(field).includes(image.url)));
  press.append(thumbnailOf(image, name));
  item.append(press);
  return item;
}

function thumbnailOf({ thumbnail }: LibraryImage, name: string): Node {
  if (!thumbnail) return document.createTextNode(name);
  const image = new Image(88, 88);
  image.loading = "lazy";
  image.alt = "";
  image.src = thumbnail;
  return image;
}

function linksIn(field: HTMLTextAreaElement): string[] {
  return field.value.split("\n").map((line) => line.trim()).filter(Boolean);
}
