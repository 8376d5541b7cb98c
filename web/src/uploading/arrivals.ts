// Files that come from another page of this host or from a phone's share menu: what becomes of them is asked first, because
// nobody has seen the options yet, and what is to be blurred must not be sent before.

import { removePendingUpload } from "../library/store";
import { say } from "../parts/announce";
import { required } from "../parts/dom";
import { size } from "../parts/formatting";
import { t, tn } from "../parts/messages";
import type { Intake, StoredFile } from "./intake";
import { claim } from "./claims";

export class Arrivals {
  #files: StoredFile[] = [];

  /** `box` has the question, and a button for each answer. */
  constructor(
    private readonly box: HTMLElement,
    intake: Intake,
  ) {
    const answer = (name: string, act: (files: StoredFile[]) => Promise<void>): void =>
      this.#button(name).addEventListener("click", () => void act(this.#close()));
    answer("upload", (files) => intake.takeStored(files, false));
    answer("blur", (files) => intake.takeStored(files, true));
    answer("discard", discard);
  }

  /** Ask about these files. */
  show(files: StoredFile[]): void {
    if (files.length === 0) return;
    this.#files = files;
    for (const { id } of files) claim(id);
    this.#text.textContent = questionAbout(files);
    this.box.hidden = false;
    if (document.activeElement === document.body) this.#button("upload").focus();
  }

  get #text(): HTMLElement {
    return this.box.querySelector("p") as HTMLElement;
  }

  #button(name: string): HTMLElement {
    return this.box.querySelector(`[data-do=${name}]`) as HTMLElement;
  }

  #close(): StoredFile[] {
    const files = this.#files;
    this.#files = [];
    this.box.hidden = true;
    required("#file").focus({ preventScroll: true });
    return files;
  }
}

function questionAbout(files: StoredFile[]): string {
  const [{ name } = { name: "" }, ...others] = files;
  const bytes = size(files.reduce((sum, { file }) => sum + file.size, 0));
  if (others.length === 0) return t("Upload {name} ({bytes})?", { name, bytes });
  return tn("Upload {count} image ({bytes})?", "Upload {count} images ({bytes})?", files.length, { bytes });
}

async function discard(files: StoredFile[]): Promise<void> {
  await Promise.all(files.map(({ id }) => removePendingUpload(id)));
  say(tn("{count} image was not uploaded.", "{count} images were not uploaded.", files.length));
}
