// The limits in force, asked of the server, and what they say of a file before a byte of it is sent.

import { size } from "../parts/figures";
import { locale, t } from "../parts/words";
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

let asked: Promise<Limits | undefined> | undefined;

/** The limits; undefined where they can't be had just now: the server will check by itself. */
async function limits(): Promise<Limits | undefined> {
  asked ??= fetch("/api/v1/limits").then((reply) => (reply.ok ? (reply.json() as Promise<Limits>) : undefined));
  try {
    return await asked;
  } catch {
    asked = undefined;
    return undefined;
  }
}

/** Why this file would be refused, in words for its owner; undefined for one that may be sent. */
export async function problemOf(file: File): Promise<string | undefined> {
  if (file.size === 0) return t("{name} is empty. Choose another file.", { name: file.name });
  const known = await limits();
  if (!known) return undefined;
  const { max_bytes: most, media_types: types } = known.uploads;
  const kind = await kindOf(file);
  if (!kind?.mediaType || !types.includes(kind.mediaType)) return refusalOf(file.name, kind, listed(types));
  if (file.size <= most) return undefined;
  const figures = { name: file.name, size: size(file.size), most: size(most) };
  return t("{name} is too large ({size}). Files can have up to {most}.", figures);
}

function listed(types: string[]): string {
  const names = [...new Set(types.map((type) => NAMES[type] ?? type))];
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(names);
}
