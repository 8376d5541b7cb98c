// Uploading images straight into an album: files that are chosen, or dropped anywhere on its manage page.

import { toLibraryImage, type ImageResource } from "../library/image";
import { saveImages } from "../library/store";
import { keyHeader } from "../parts/access-key";
import { announce } from "../parts/announce";
import { callApi, Problem } from "../parts/api";
import { t, tn } from "../parts/messages";
import { pageLanguage } from "../parts/problems";
import { watchDrops, watchPicker } from "../uploading/picking";
import type { AlbumForm } from "./album-form";

const CONCURRENCY = 3;

export class AlbumUploads {
  readonly #progress = document.createElement("progress");
  readonly #text = document.createElement("p");
  readonly #reports = document.createElement("ul");
  readonly #files: File[] = [];
  readonly #uploaded = new Map<number, string>();
  #begun = 0;
  #ended = 0;
  #refused = 0;
  #added = 0;
  #isAdding = false;

  /**
   * The button and the progress are shown in `place`; `zone` while files are dragged over the page. `links` is the field for
   * links of images that are to be added.
   */
  constructor(
    place: HTMLElement,
    zone: HTMLElement,
    private readonly form: AlbumForm,
    private readonly links: HTMLTextAreaElement,
  ) {
    this.#text.setAttribute("role", "status");
    this.#progress.setAttribute("aria-label", t("Uploads"));
    const picker = document.createElement("input");
    place.append(createButton(picker), this.#progress, this.#text, this.#reports);
    place.hidden = false;
    this.#show();
    watchPicker(picker, (files) => this.#accept(files));
    watchDrops(zone, (files) => this.#accept(files));
    addEventListener("beforeunload", (event) => {
      if (this.#isBusy) event.preventDefault();
    });
  }

  get #isBusy(): boolean {
    return this.#added < this.#files.length;
  }

  #accept(files: File[]): void {
    this.#files.push(...files);
    while (this.#begun < this.#files.length && this.#begun - this.#ended < CONCURRENCY) void this.#uploadNext();
    this.#show();
  }

  async #uploadNext(): Promise<void> {
    const place = this.#begun;
    const file = this.#files[place];
    if (!file) return;
    this.#begun += 1;
    this.#uploaded.set(place, await this.#upload(file));
    this.#ended += 1;
    this.#show();
    void this.#addUploaded();
    await this.#uploadNext();
  }

  /** Upload the file, and remember its image. Its slug; empty if it was refused. */
  async #upload(file: File): Promise<string> {
    try {
      const path = `/api/v1/images?${new URLSearchParams({ filename: file.name })}`;
      const image = (await callApi(path, { method: "POST", file, headers: keyHeader() })) as ImageResource;
      await saveImages(toLibraryImage(image)).catch(() => undefined); // without storage, it is in the album at least
      return image.slug;
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      this.#refuse(`${file.name}: ${fault.message}`, fault.lang);
      return "";
    }
  }

  /** Add images in the order of their files, those that are uploaded meanwhile together. */
  async #addUploaded(): Promise<void> {
    if (this.#isAdding) return;
    this.#isAdding = true;
    while (this.#uploaded.has(this.#added)) {
      const slugs: string[] = [];
      for (let slug; (slug = this.#uploaded.get(this.#added + slugs.length)) !== undefined; ) slugs.push(slug);
      const links = slugs.join("\n").trim();
      if (links && !(await this.form.add(links))) this.#keep(links);
      this.#added += slugs.length;
    }
    this.#isAdding = false;
    this.#show();
  }

  /** Images that couldn't be added stay in the field for links, where a press adds them. */
  #keep(links: string): void {
    this.links.value = [this.links.value.trim(), links].filter(Boolean).join("\n");
    const count = links.split("\n").length;
    const text = tn(
      "{count} image was uploaded, but isn’t in the album yet. Its link is in the field below: press Add.",
      "{count} images were uploaded, but aren’t in the album yet. Their links are in the field below: press Add.",
      count,
    );
    this.#report(text, pageLanguage());
  }

  #refuse(text: string, lang: string): void {
    this.#refused += 1;
    this.#report(text, lang);
  }

  #report(text: string, lang: string): void {
    const line = document.createElement("li");
    line.lang = lang;
    line.dir = "auto";
    line.textContent = text;
    this.#reports.append(line);
    announce(text, { lang, staysMs: 8000 });
  }

  #show(): void {
    const count = this.#files.length;
    this.#progress.hidden = !this.#isBusy;
    this.#progress.max = Math.max(1, count);
    this.#progress.value = this.#ended;
    if (count > 0) this.#text.textContent = tn("{done} of {count} file uploaded", "{done} of {count} files uploaded", count, { done: this.#ended - this.#refused });
  }
}

function createButton(picker: HTMLInputElement): HTMLLabelElement {
  const label = document.createElement("label");
  label.className = "button quiet";
  picker.type = "file";
  picker.multiple = true;
  picker.accept = "image/*";
  picker.className = "visually-hidden";
  label.append(t("Upload images into this album"), picker);
  return label;
}
