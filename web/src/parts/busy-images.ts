// Images that the server is too busy to make: they are asked for again until they are there.

import { announce } from "./announce";
import { t } from "./messages";

const MAX_TRIES = 20;
const RETRY_AFTER_S = 3;

/** Load images of this place again, each once, that the server was too busy for: those that failed, and will. */
export function reloadBusyImages(place: HTMLElement): void {
  const reloaded = new WeakSet<HTMLImageElement>();
  const reload = async (image: HTMLImageElement): Promise<void> => {
    if (reloaded.has(image)) return;
    reloaded.add(image);
    if (await isMade(image.currentSrc || image.src)) image.src = image.src; // also where `srcset` is what is shown
  };
  const failed = (image: HTMLImageElement): boolean => image.complete && image.src !== "" && image.naturalWidth === 0;
  place.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && void reload(target), { capture: true });
  for (const image of place.querySelectorAll("img")) if (failed(image)) void reload(image);
}

/** Wait as long as the server is busy. Whether it has made the image in the end. */
async function isMade(address: string): Promise<boolean> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const reply = await fetch(address, { method: "HEAD" }).catch(() => undefined);
    if (reply?.status !== 503) return reply?.ok === true;
    const seconds = Number(reply.headers.get("Retry-After")) || RETRY_AFTER_S;
    announce(t("The server is busy. The image appears by itself in a moment."), { staysMs: seconds * 1000 });
    await new Promise((resume) => setTimeout(resume, seconds * 1000));
  }
  return false;
}
