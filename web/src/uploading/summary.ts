// The box above the cards of the upload page: how far several files are, and what can be done with the links of all of them.

import { announce } from "../parts/announce";
import { copyField } from "../parts/copy";
import { required } from "../parts/dom";
import { t, tn } from "../parts/messages";
import type { Code, EmbedCodes } from "./embed-codes";
import { Progress } from "./progress";
import type { Queue } from "./queue";

const DEFAULT_SIZE = "medium";

export class Summary {
  #progress: Progress;
  #codes = required<HTMLTextAreaElement>("#codes");
  #kind = required<HTMLSelectElement>("#code");
  #size = required<HTMLSelectElement>("#code-size");
  #album = document.querySelector("#make-album"); // guests don't have it
  #isCreating = false;
  #embedCodes: EmbedCodes | undefined;

  constructor(private readonly queue: Queue) {
    this.#progress = new Progress(queue, () => queue.images.length, () => this.#show());
    this.#size.value = DEFAULT_SIZE;
    if (this.#size.value === "") this.#size.selectedIndex = 0; // sizes have other names here
    const act = (id: string, action: (button: HTMLButtonElement) => void): void =>
      required(id).addEventListener("click", ({ currentTarget }) => action(currentTarget as HTMLButtonElement));
    act("#copy-all", (button) => this.#copyAll(button));
    act("#copy-codes", (button) => void copyField(button, this.#codes, this.#kind.selectedOptions[0]?.text ?? ""));
    if (this.#album) act("#make-album", () => void this.#makeAlbum());
    for (const select of [this.#kind, this.#size]) select.addEventListener("change", () => this.#show());
    this.#codes.addEventListener("focus", () => this.#codes.select());
    required("#code-box").addEventListener("toggle", () => void this.#loadCodes());
  }

  /** Files were added, or anything about an upload has changed. */
  refresh(wereAdded: boolean): void {
    this.#progress.refresh(wereAdded);
  }

  #show(): void {
    const { images, busy, expected } = this.queue;
    for (const id of ["#copy-all", "#code-box", ...(this.#album ? ["#make-album"] : [])]) this.#progress.hide(id, expected < 2);
    setDisabled(required("#copy-all"), images.length === 0);
    if (this.#album) setDisabled(this.#album, busy || this.#isCreating || images.length === 0);
    this.#size.disabled = this.#kind.value === "links";
    const kind = this.#kind.value as Code | "links";
    const links = images.map(({ url }) => url).join("\n");
    const codes = kind === "links" ? links : (this.#embedCodes?.(images, kind, this.#size.value) ?? "");
    if (codes !== this.#codes.value) this.#codes.value = codes; // what is selected in it stays so
  }

  /** What writes the codes is needed once somebody looks at them. Without a connection they stay empty until that is repeated. */
  async #loadCodes(): Promise<void> {
    const codes = this.#embedCodes ? undefined : await import("./embed-codes").catch(() => undefined);
    this.#embedCodes ??= codes?.embedCodes;
    this.#show();
  }

  #copyAll(button: HTMLButtonElement): void {
    const { length } = this.queue.images;
    if (length === 0) return;
    this.#kind.value = "links";
    this.#show();
    void copyField(button, this.#codes, tn("{count} link", "{count} links", length)); // others may still be uploaded
  }

  async #makeAlbum(): Promise<void> {
    const slugs = this.queue.images.map(({ slug }) => slug);
    if (this.queue.busy || this.#isCreating || slugs.length === 0) return;
    this.#isCreating = true;
    this.#show();
    try {
      const { createAlbumAndOpen } = await import("../library/albums");
      await createAlbumAndOpen(slugs, () => this.queue.findAvailable());
    } catch {
      announce(t("The server can’t be reached. Check your connection and try again."), { staysMs: 8000 });
    }
    this.#isCreating = false;
    this.#show();
  }
}

/** Unlike a disabled button, this one keeps the focus. */
function setDisabled(button: Element, isDisabled: boolean): void {
  button.setAttribute("aria-disabled", String(isDisabled));
}
