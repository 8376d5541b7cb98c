// Which format a file has, by its first bytes: as the server will tell it, so that nobody waits for a refusal.

import { t } from "../parts/words";

const HEAD_BYTES = 64;

/** What a file is, by its content: a name to call it by, and its media type where it is one that can be taken. */
export interface Kind {
  name: string;
  mediaType?: string;
}

type Mark = [kind: Kind, at: number, bytes: string];

const of = (name: string, mediaType?: string): Kind => (mediaType ? { name, mediaType } : { name });
const TIFF = of("TIFF", "image/tiff");

const MARKS: Mark[] = [
  [of("JPEG", "image/jpeg"), 0, "\xff\xd8\xff"],
  [of("PNG", "image/png"), 0, "\x89PNG\r\n\x1a\n"],
  [of("GIF", "image/gif"), 0, "GIF8"],
  [of("WebP", "image/webp"), 8, "WEBP"],
  [TIFF, 0, "II*\0"],
  [TIFF, 0, "MM\0*"],
  [TIFF, 0, "II+\0"],
  [TIFF, 0, "MM\0+"],
  [of("AVIF", "image/avif"), 8, "avif"],
  [of("AVIF", "image/avif"), 8, "avis"],
  [of("BMP"), 0, "BM"],
  [of("PDF"), 0, "%PDF"],
  [of("JPEG XL"), 0, "\xff\x0a"],
  [of("JPEG XL"), 4, "JXL \r\n"],
  [of("Photoshop"), 0, "8BPS"],
  [of("ZIP"), 0, "PK\x03\x04"],
  [of("MP4"), 4, "ftypisom"],
  [of("MP4"), 4, "ftypmp4"],
  [of("QuickTime"), 4, "ftypqt"],
  [of("WebM"), 0, "\x1a\x45\xdf\xa3"],
];
const HEIC = of("HEIC", "image/heic");

/** The kind of a file; undefined where its first bytes tell nothing. */
export async function kindOf(file: Blob): Promise<Kind | undefined> {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const head = String.fromCharCode(...bytes);
  const marked = MARKS.find(([, at, mark]) => head.startsWith(mark, at));
  if (marked) return marked[0];
  if (head.startsWith("ftyp", 4)) return HEIC; // its brands are many: the server looks at all of them
  return /^\s*(<\?xml|<svg|<!doctype svg)/i.test(head.replace(/^\xef\xbb\xbf/, "")) ? of("SVG") : undefined;
}

/** Why a file of this kind is not taken. */
export function refusalOf(name: string, kind: Kind | undefined, taken: string): string {
  return kind
    ? t("{name}: {kind} isn’t supported. Supported formats: {formats}.", { name, kind: kind.name, formats: taken })
    : t("{name} isn’t an image in a supported format. Supported formats: {formats}.", { name, formats: taken });
}
