// Links of several images in the markup of web pages, forums and notes, as share pages have them for one image.

import type { ImageResource } from "../library/image";

export type Code = "links" | "markdown" | "bbcode" | "html";

/** One line for each image, which is shown at this size (`original`, or a preset's name) and leads to its page. */
export function embedCodes(images: readonly ImageResource[], code: Code, size: string): string {
  return images.map((image) => embedCode(image, code, size)).join("\n");
}

/** The link alone for an image that has no such size, because it can't be resized. */
function embedCode(image: ImageResource, code: Code, size: string): string {
  const { url: page, original, renditions = {} } = image;
  const shown = size === "original" ? original : renditions[size];
  if (!shown) return page;
  const text = (image.alt || image.title || image.filename).split(/\s+/).join(" ").trim();
  switch (code) {
    case "links":
      return page;
    case "markdown":
      return `[![${text.replace(/[\\[\]`*_<>!&]/g, "\\$&")}](${shown.url})](${page})`;
    case "bbcode":
      return `[url=${page}][img]${shown.url}[/img][/url]`;
    case "html":
      return `<a href="${page}"><img src="${shown.url}" width="${shown.width}" height="${shown.height}" alt="${escapeHtml(text)}"></a>`;
  }
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
