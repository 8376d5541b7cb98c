// The list as a file, saved and read by people.

import { announce } from "../parts/announce";
import { t, tn } from "../parts/messages";
import { exportLibrary, importLibrary, type Library } from "./exported-list";
import { type LibraryImage, saveAlbum, saveImages } from "./store";

const MAX_FILE_BYTES = 50e6; // some hundred thousand images

export function exportList(library: Library): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exportLibrary(library)], { type: "application/json" }));
  link.download = `images-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Add what the chosen file has more than `images`. */
export async function importList(input: HTMLInputElement, images: LibraryImage[]): Promise<void> {
  const file = input.files?.[0];
  input.value = "";
  if (!file) return;
  const found = file.size <= MAX_FILE_BYTES ? importLibrary(await file.text()) : undefined;
  if (!found) return announce(t("{name} isn’t an exported list.", { name: file.name }));
  const known = new Set(images.map(({ slug }) => slug));
  const fresh = found.images.filter(({ slug }) => !known.has(slug));
  await saveImages(...fresh);
  await Promise.all(found.albums.map(saveAlbum));
  announce(tn("{count} image added.", "{count} images added.", fresh.length));
}
