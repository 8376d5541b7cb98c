// Several images in the markup of web pages, forums and notes, as share pages have them for one image.

import type { ImageResource } from "../library/image";

export type Code = "markdown" | "bbcode" | "html";

export type EmbedCodes = typeof embedCodes;

/** One line for each image, which is shown at this size (`original`, or a preset's name) and leads to its page. */
export function embedCodes(images: readonly ImageResource[], code: Code, size: string): string {
  return images.map((image) => embedCode(image, code, size)).join("\n");
}

/** The link alone for an image that other pages can't show: it has no such size, or isn't there for everybody. */
function embedCode(image: ImageResource, code: Code, size: string): string {
  const { url: page, original, renditions = {}, locked, one_view } = image;
  const shown = locked || one_view ? undefined : size === "original" ? original : renditions[size];
  if (!shown) return page;
  const source = shown.embed_url ?? shown.url;
  const text = (image.alt || image.title || image.filename).split(/\s+/).join(" ").trim();
  switch (code) {
    case "markdown":
      return `[![${text.replace(/[\\[\]`*_<>!&]/g, "\\$&")}](${source})](${page})`;
    case "bbcode":
      return `[url=${page}][img]${source}[/img][/url]`;
    case "html":
      return `<a href="${page}"><img src="${source}" width="${shown.width}" height="${shown.height}" alt="${escapeHtml(text)}"></a>`;
  }
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
