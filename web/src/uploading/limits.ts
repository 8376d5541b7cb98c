// The server's limits, and checking a file against them before it is uploaded.

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

interface Limits {
  uploads: { max_bytes: number; media_types: string[] };
}

let request: Promise<Limits | undefined> | undefined;

/** The limits; undefined if they can't be loaded, because the server checks anyway. */
async function loadLimits(): Promise<Limits | undefined> {
  request ??= fetch("/api/v1/limits").then((reply) => (reply.ok ? (reply.json() as Promise<Limits>) : undefined));
  try {
    return await request;
  } catch {
    request = undefined;
    return undefined;
  }
}

/** Why the server would refuse this file, for people; undefined for a file that can be uploaded. */
export async function problemOf(file: File): Promise<string | undefined> {
  if (file.size === 0) return t("{name} is empty. Choose another file.", { name: file.name });
  const limits = await loadLimits();
  if (!limits) return undefined;
  const { max_bytes: maxBytes, media_types: types } = limits.uploads;
  const kind = await kindOf(file);
  if (!kind?.mediaType || !types.includes(kind.mediaType)) return refusalOf(file.name, kind, formatList(types));
  if (file.size <= maxBytes) return undefined;
  const figures = { name: file.name, size: size(file.size), max: size(maxBytes) };
  return t("{name} is too large ({size}). Files can have up to {max}.", figures);
}

function formatList(types: string[]): string {
  const names = [...new Set(types.map((type) => NAMES[type] ?? type))];
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(names);
}
