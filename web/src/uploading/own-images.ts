// What a guest has added to an album with this browser, listed on the guests' page where the album's owner lets them see it.

import type { ImageResource } from "../library/image";

const MAX_IMAGES = 500; // as many as an album has by default

interface OwnImage {
  slug: string;
  name: string;
}

export class OwnImages {
  readonly #key: string;
  readonly #list: HTMLElement;
  #images: OwnImage[] = [];

  /** The list is put into `place`, which is shown once there is something to list. */
  constructor(private readonly place: HTMLElement) {
    this.#key = `guest ${place.dataset["invite"] ?? ""}`;
    this.#list = place.querySelector("ul") as HTMLElement;
    for (const image of stored(this.#key)) this.#show(image);
  }

  /** List these images too, and remember them. */
  add(images: ImageResource[]): void {
    const known = new Set(this.#images.map(({ slug }) => slug));
    const fresh = images.filter(({ slug }) => !known.has(slug));
    for (const { slug, title, filename } of fresh) this.#show({ slug, name: title || filename });
    if (fresh.length > 0) store(this.#key, this.#images.slice(-MAX_IMAGES));
  }

  #show(image: OwnImage): void {
    this.#images.push(image);
    const [line, link, picture] = [document.createElement("li"), document.createElement("a"), document.createElement("img")];
    link.href = `/i/${image.slug}`;
    picture.alt = image.name;
    picture.loading = "lazy";
    picture.src = `/i/${image.slug}/thumbnail.jpg`;
    picture.addEventListener("error", () => line.remove()); // it was deleted, or has no sizes
    link.append(picture);
    line.append(link);
    this.#list.append(line);
    this.place.hidden = false;
  }
}

// A browser without storage, such as a private window, remembers nothing.

function stored(key: string): OwnImage[] {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "[]") as OwnImage[];
  } catch {
    return [];
  }
}

function store(key: string, images: OwnImage[]): void {
  try {
    localStorage.setItem(key, JSON.stringify(images));
  } catch {
    // see above
  }
}
