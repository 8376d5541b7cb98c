// Handing the image on: the share sheet of the system, the image itself on the clipboard, and the original by dragging.
// Without HTTPS, browsers have neither of the first two.

import { announce } from "./announce";
import { t } from "./messages";
import { shareLink } from "./share-button";

/** Make the share and copy buttons work; they may be replaced while the page is shown. */
export function wireSharing(): void {
  document.documentElement.classList.toggle("cannot-copy-image", !globalThis.ClipboardItem);
  document.addEventListener("click", (event) => {
    const pressed = event.target as Element;
    if (pressed.closest(".share-button")) void share();
    if (pressed.closest("#copy-image")) void copyImage();
  });
  document.querySelector("#frame")?.addEventListener("dragstart", giveOriginal);
}

/** What is dragged to a folder is the original and not the size that is shown, in browsers that can do this. */
function giveOriginal(event: Event): void {
  const original = document.querySelector<HTMLAnchorElement>("a[data-type]");
  if (!original) return;
  const { type = "", name = "" } = original.dataset;
  (event as DragEvent).dataTransfer?.setData("DownloadURL", `${type}:${name.replaceAll(":", "_")}:${original.href}`);
}

function share(): Promise<void> {
  const title = document.querySelector("h1")?.textContent ?? "";
  return shareLink(document.querySelector<HTMLInputElement>("#code-link")?.value ?? location.href, title);
}

async function copyImage(): Promise<void> {
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": shownAsPng() })]); // PNG is what clipboards take
  } catch {
    announce(t("Couldn’t copy the image. Download it instead."));
    return;
  }
  announce(t("Image copied"));
}

async function shownAsPng(): Promise<Blob> {
  const image = document.querySelector<HTMLImageElement>("#shown")!;
  await image.decode();
  const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
  canvas.getContext("2d")!.drawImage(image, 0, 0);
  return canvas.convertToBlob();
}
