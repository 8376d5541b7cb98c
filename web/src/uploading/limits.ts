// The server's limits, which the form has in its data, and checking a file against them before it is uploaded.

import { required } from "../parts/dom";
import { size } from "../parts/formatting";
import { locale, t } from "../parts/messages";
import { kindOf, refusalOf } from "./formats";

const NAMES: Record<string, string> = {
  "image/jpeg": "JPEG",
  "image/png": "PNG",
  "image/gif": "GIF",
  "image/webp": "WebP",
  "image/tiff": "TIFF",
  "image/avif": "AVIF",
  "image/heic": "HEIC",
  "image/heif": "HEIC",
};

const { maxBytes, mediaTypes = "" } = required("#upload").dataset;
const types = mediaTypes.split(",");

/** Why the server would refuse this file, for people; undefined for a file that can be uploaded. */
export async function problemOf(file: File): Promise<string | undefined> {
  const { name } = file;
  if (file.size === 0) return t("{name} is empty. Choose another file.", { name });
  try {
    const kind = await kindOf(file);
    if (!kind?.mediaType || !types.includes(kind.mediaType)) return refusalOf(name, kind, formatList());
  } catch {
    return t("{name} can’t be read. Check that the file still exists, and choose it again.", { name });
  }
  if (file.size <= Number(maxBytes)) return undefined;
  return t("{name} is too large ({size}). Files can have up to {max}.", { name, size: size(file.size), max: size(Number(maxBytes)) });
}

function formatList(): string {
  const names = [...new Set(types.map((type) => NAMES[type] ?? type))];
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(names);
}
