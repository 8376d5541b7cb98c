// Detecting a file's format by its first bytes, as the server does, so that nobody waits for a refusal.

import { t } from "../parts/messages";

const HEAD_BYTES = 64;

/** The kind of a file: its name for people, and its media type if the server may accept it. */
export interface Kind {
  name: string;
  mediaType?: string;
}

type Signature = [kind: Kind, at: number, bytes: string];

const kind = (name: string, mediaType?: string): Kind => (mediaType ? { name, mediaType } : { name });
const TIFF = kind("TIFF", "image/tiff");

const SIGNATURES: Signature[] = [
  [kind("JPEG", "image/jpeg"), 0, "\xff\xd8\xff"],
  [kind("PNG", "image/png"), 0, "\x89PNG\r\n\x1a\n"],
  [kind("GIF", "image/gif"), 0, "GIF8"],
  [kind("WebP", "image/webp"), 8, "WEBP"],
  [TIFF, 0, "II*\0"],
  [TIFF, 0, "MM\0*"],
  [TIFF, 0, "II+\0"],
  [TIFF, 0, "MM\0+"],
  [kind("AVIF", "image/avif"), 8, "avif"],
  [kind("AVIF", "image/avif"), 8, "avis"],
  [kind("BMP"), 0, "BM"],
  [kind("PDF"), 0, "%PDF"],
  [kind("JPEG XL"), 0, "\xff\x0a"],
  [kind("JPEG XL"), 4, "JXL \r\n"],
  [kind("Photoshop"), 0, "8BPS"],
  [kind("ZIP"), 0, "PK\x03\x04"],
  [kind("MP4"), 4, "ftypisom"],
  [kind("MP4"), 4, "ftypmp4"],
  [kind("QuickTime"), 4, "ftypqt"],
  [kind("WebM"), 0, "\x1a\x45\xdf\xa3"],
];
const HEIC = kind("HEIC", "image/heic");

/** The kind of a file; undefined if its first bytes are unknown. */
export async function kindOf(file: Blob): Promise<Kind | undefined> {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const head = String.fromCharCode(...bytes);
  const match = SIGNATURES.find(([, at, signature]) => head.startsWith(signature, at));
  if (match) return match[0];
  if (head.startsWith("ftyp", 4)) return HEIC; // it has many brands; the server looks at all of them
  return /^\s*(<\?xml|<svg|<!doctype svg)/i.test(head.replace(/^\xef\xbb\xbf/, "")) ? kind("SVG") : undefined;
}

/** Why a file of this kind isn't accepted. */
export function refusalOf(name: string, kind: Kind | undefined, supported: string): string {
  return kind
    ? t("{name}: {kind} isn’t supported. Supported formats: {formats}.", { name, kind: kind.name, formats: supported })
    : t("{name} isn’t an image in a supported format. Supported formats: {formats}.", { name, formats: supported });
}
