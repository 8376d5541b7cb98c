// Images for another device: links whose fragment, which browsers don't send, holds their slugs and delete tokens. A QR
// code holds one link, so many images take several codes.

import { announce } from "../parts/announce";
import { forEachOf } from "../parts/concurrency";
import { copy } from "../parts/copy";
import { required } from "../parts/dom";
import { t, tn } from "../parts/messages";
import { lookUpNew } from "./actions";
import { isConfirmed } from "./asking";
import { hasEnded } from "./image";
import { type LibraryImage, listImages, saveImages } from "./store";

const IMAGES_IN_A_CODE = 20; // 97 modules a side, which a phone reads from a screen
const MAX_CODES = 10;
const CONCURRENCY = 2;
const PREFIX = "#add=";
const SLUG = /^[0-9A-Za-z]{17}$/;
const ENTRIES = /^(?:[0-9A-Za-z]{17}[\w-]{22}){1,20}$/;
const ENTRY = /([0-9A-Za-z]{17})([\w-]{22})/g;

/** Show the codes for these images in a dialog, one after the other. */
export async function showCodes(images: LibraryImage[]): Promise<void> {
  const links = linksFor(images);
  if (links.length === 0) return announce(t("These images are no longer available."));
  if (links.length > MAX_CODES) {
    const count = IMAGES_IN_A_CODE * MAX_CODES;
    return announce(t("Select up to {count} images, or export the list as a file.", { count }), { staysMs: 8000 });
  }
  const { drawCode } = await import("./qr-code");
  const [dialog, previous, next] = [required<HTMLDialogElement>("#codes"), required("#previous-code"), required("#next-code")];
  let at = 0;
  const show = (step: number): void => {
    at = Math.min(Math.max(at + step, 0), links.length - 1);
    drawCode(required<HTMLCanvasElement>("#code"), links[at] ?? "");
    required("#code-number").textContent = t("Code {number} of {count}", { number: at + 1, count: links.length });
    previous.setAttribute("aria-disabled", String(at === 0));
    next.setAttribute("aria-disabled", String(at === links.length - 1));
  };
  previous.onclick = () => show(-1);
  next.onclick = () => show(1);
  required("#copy-code").onclick = () => void copy(links[at] ?? "", t("Link"));
  show(0);
  dialog.showModal();
}

function linksFor(images: LibraryImage[]): string[] {
  const entries = images.filter((image) => !hasEnded(image) && SLUG.test(image.slug)).map(({ slug, delete_token }) => slug + delete_token);
  const links: string[] = [];
  for (let at = 0; at < entries.length; at += IMAGES_IN_A_CODE) {
    links.push(`${location.origin}/images${PREFIX}${entries.slice(at, at + IMAGES_IN_A_CODE).join("")}`);
  }
  return links;
}

/** Add the images of the link by which the page was opened, if it is one from another device and the person agrees. */
export async function receiveImages(): Promise<void> {
  if (!location.hash.startsWith(PREFIX)) return;
  const given = location.hash.slice(PREFIX.length);
  history.replaceState(history.state, "", location.pathname); // the address may be shared, the tokens may not
  if (!ENTRIES.test(given)) return announce(t("This link is incomplete. Scan the code again."), { staysMs: 8000 });
  const known = new Set((await listImages()).map(({ slug }) => slug));
  const entries = [...given.matchAll(ENTRY)].flatMap(([, slug = "", token = ""]) => (known.has(slug) ? [] : [{ slug, token }]));
  if (entries.length === 0) return announce(t("All of these images are in the list already."));
  const question = tn("Add {count} image to this list?", "Add {count} images to this list?", entries.length);
  const isWanted = await isConfirmed(question, t("They come from another device. You can then change and delete them here too."), t("Add"));
  required("#main").focus({ preventScroll: true }); // the dialog opened with the page, so nothing had the focus before
  if (!isWanted) return;
  const found = await lookUpAll(entries);
  await saveImages(...found);
  const missing = entries.length - found.length;
  const added = found.length > 0 ? [tn("{count} image added.", "{count} images added.", found.length)] : [];
  const lacking = missing > 0 ? [tn("{count} image could not be added.", "{count} images could not be added.", missing)] : [];
  announce([...added, ...lacking].join(" "));
}

async function lookUpAll(entries: { slug: string; token: string }[]): Promise<LibraryImage[]> {
  const found: LibraryImage[] = [];
  await forEachOf(entries, CONCURRENCY, async ({ slug, token }) => {
    const image = await lookUpNew(slug, token);
    if (image) found.push(image);
  });
  return found;
}
