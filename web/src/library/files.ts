// The list as a file, saved and read by people.

import { announce } from "../parts/announce";
import { t, tn } from "../parts/messages";
import { exportLibrary, importLibrary, type Library } from "./exported-list";
import { saveAlbum, saveImages } from "./store";

const MAX_FILE_BYTES = 50e6; // some hundred thousand images

export function exportList(library: Library): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exportLibrary(library)], { type: "application/json" }));
  link.download = `images-${new Date().toISOString().slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Add what the chosen file has more than the list. */
export async function importList(input: HTMLInputElement, { images, albums }: Library): Promise<void> {
  const file = input.files?.[0];
  input.value = "";
  if (!file) return;
  const found = file.size <= MAX_FILE_BYTES ? importLibrary(await file.text()) : undefined;
  if (!found) return announce(t("{name} isn’t an exported list.", { name: file.name }));
  const known = new Set([...images, ...albums].map(({ slug }) => slug));
  const isNew = ({ slug }: { slug: string }): boolean => !known.has(slug);
  const [newImages, newAlbums] = [found.images.filter(isNew), found.albums.filter(isNew)];
  await saveImages(...newImages);
  await Promise.all(newAlbums.map(saveAlbum));
  announce(addedText(newImages.length, newAlbums.length));
}

function addedText(images: number, albums: number): string {
  const [imagesText, albumsText] = [tn("{count} image added.", "{count} images added.", images), tn("{count} album added.", "{count} albums added.", albums)];
  if (albums === 0) return imagesText;
  return images === 0 ? albumsText : `${imagesText} ${albumsText}`;
}
